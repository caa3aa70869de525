"""`approval serve` as a process: how it starts, ends and comes back."""

import http.client
import signal
import socket
import sqlite3
from urllib.parse import urlsplit

import pytest
import requests

from approval.demo.cloud.faults import Fault
from tests.cli.conftest import write
from tests.conftest import MONA, press, wait_until


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_starts_on_a_fresh_folder_serves_alone_and_ends_when_asked(launch, text, tmp_path):
    serving = launch(write(tmp_path, text))
    wait_until(serving.answers, timeout=30)
    folder = serving.folder
    assert (folder / "workflow.db").exists()
    assert (folder / "workflow.db.key").stat().st_mode & 0o777 == 0o600
    second = launch()
    assert second.process.wait(30) == 1
    assert (
        f"problem  [server] database: another gate serves {folder}/workflow.db already"
        in serving.log
    )
    assert serving.answers()
    assert serving.end(signal.SIGTERM) == 0
    assert "Traceback" not in serving.log


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ("database = sqlite:////nowhere/at/all.db", "/nowhere/at"),
        ("templates = own", "[server] templates: {folder}/own/page/style.css.html, line 2: "),
    ],
    ids=["no folder", "broken style"],
)
def test_what_keeps_it_from_starting_is_said_in_words(launch, text, tmp_path, extra, reason):
    style = tmp_path / "own/page/style.css.html"
    style.parent.mkdir(parents=True)
    style.write_text("\n{{ there.is.no.such.thing }}")
    write(tmp_path, f"{text}{extra}\n")
    serving = launch()
    assert serving.process.wait(30) == 1
    lines = serving.log.splitlines()
    reason = reason.format(folder=tmp_path)
    assert any(line.startswith("problem  ") and reason in line for line in lines)
    assert "Traceback" not in serving.log


def test_where_it_cannot_listen_is_said_in_words_before_anything_is_set_up(
    launch, text, tmp_path, mailbox
):
    write(tmp_path, text, mailbox.smtp_port)
    serving = launch()
    assert serving.process.wait(30) == 1
    place = f"127.0.0.1:{mailbox.smtp_port}"
    words = f"problem  [server] bind_port: {place} is in use; end what uses it or name another"
    assert words in serving.log.splitlines()
    assert not (tmp_path / "workflow.db").exists()


def test_a_callback_under_way_is_answered_before_it_ends(serve, text, cloud):
    serving = serve(text)
    cloud.callback_url = None
    tasks = cloud.deploy_machine(59)
    port = urlsplit(serving.url).port
    lock = sqlite3.connect(serving.folder / "workflow.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")  # the callback has to wait for it
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    connection.request("POST", "/callback", cloud.callback_body(tasks))
    requests.get(f"{serving.url}/healthz", timeout=5)  # the one before has been read by now
    serving.process.send_signal(signal.SIGTERM)
    wait_until(lambda: not listens(port))
    lock.execute("ROLLBACK")
    answer = connection.getresponse()
    assert answer.status == 202
    assert answer.read()
    connection.close()
    assert serving.process.wait(30) == 0
    [stored] = lock.execute("SELECT platform_task_id FROM tasks").fetchall()
    lock.close()
    assert [*stored] == tasks
    assert "Traceback" not in serving.log


ACCIDENTS = {
    "platform down": [Fault(drop=True, times=None)],
    "being told": [Fault(method="POST", delay=60, times=None)],
    "told, answer lost": [Fault(method="POST", after=True, delay=60, times=None)],
}


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_a_decision_that_was_shown_survives_a_sudden_death(serve, text, cloud, mails, accident):
    serving = serve(text)
    [task] = cloud.deploy_machine(59)
    link = mails.to(MONA).link("accept")
    cloud.faults.plan(*ACCIDENTS[accident])
    assert press(link).status_code == 200
    serving.end(signal.SIGKILL)
    cloud.faults.clear()
    again = serve(text, urlsplit(serving.url).port)
    wait_until(lambda: cloud.task_state(task) != "QUEUEING")
    late = requests.get(link, timeout=10)
    assert late.status_code == 410
    wait_until(lambda: "Abiquo has been told" in requests.get(link, timeout=10).text)
    successes = [event for event in cloud.events if "continuation was successful" in event.text]
    assert len(successes) == 1
    assert again.end() == 0


def test_a_callback_that_was_taken_survives_a_sudden_death(serve, text, cloud, mailbox, mails):
    serving = serve(text)
    cloud.faults.plan(Fault(method="GET", drop=True, times=None))
    cloud.deploy_machine(59)
    assert cloud.wait_for_callbacks()
    assert cloud.callbacks[0].status == 202
    serving.end(signal.SIGKILL)
    cloud.faults.clear()
    again = serve(text, urlsplit(serving.url).port)
    assert mails.to(MONA).link("accept")
    assert again.end(signal.SIGINT) == 0


def test_a_start_that_calls_the_rule_off_lets_no_page_announce_it_any_more(
    serve, text, cloud, mails
):
    serving = serve(f"{text}[policy]\ndecline_after = 3 days\n")
    cloud.deploy_machine(59)
    mail = mails.to(MONA)
    link, announced = mail.link("accept"), "what nobody has decided by then is declined"
    assert announced in mail.text
    wait_until(lambda: announced in requests.get(link, timeout=10).text)
    assert serving.end() == 0
    serve(text, urlsplit(serving.url).port)
    page = requests.get(link, timeout=10)
    assert page.status_code == 200
    assert announced not in page.text

"""`approval temporal`, `approval engine`, and serving with Temporal."""

import signal
import subprocess
import sys
from contextlib import closing
from urllib.parse import urlsplit

import pytest
import requests
import sqlalchemy as sa

from approval.config import ConfigError, load
from approval.demo.cloud.faults import Fault
from approval.store.database import Database
from approval.store.migrate import upgrade
from approval.store.tables import WAKES
from tests import stores
from tests.cli.conftest import write
from tests.conftest import MONA, free_port, press, wait_until
from tests.store.values import on_disk
from tests.stores import File
from tests.temporals import SETTINGS, new_queue, running, temporal

__all__ = ["temporal"]


@pytest.fixture
def with_temporal(text, temporal):
    return text + temporal.settings(new_queue())


def test_setup_says_what_it_did_and_doing_it_again_does_nothing(approval, with_temporal, tmp_path):
    write(tmp_path, with_temporal)
    first, second = approval("temporal", "setup"), approval("temporal", "setup")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "made the schedule gate-" in first.output
    assert second.output == "Temporal is set up\n"


def test_setup_names_what_keeps_it_from_temporal(approval, text, tmp_path):
    write(tmp_path, text + SETTINGS.format(address=f"127.0.0.1:{free_port()}", queue="q"))
    result = approval("temporal", "setup")
    assert result.exit_code == 1
    assert result.output.startswith("problem  [temporal] address: ")


def test_setup_without_the_engine_is_refused(approval, text, tmp_path):
    write(tmp_path, text)
    result = approval("temporal", "setup")
    assert result.exit_code == 2
    assert "[engine] kind" in result.output


def test_check_tries_temporal(approval, with_temporal, tmp_path):
    write(tmp_path, with_temporal)
    approval("temporal", "setup")
    assert "temporal: search attributes are registered" in approval("check").output
    dead = with_temporal.replace("address = 127.0.0.1:", "address = 127.0.0.2:")
    write(tmp_path, dead)
    result = approval("check")
    assert result.exit_code == 1
    assert "problem  [temporal] address: " in result.output


def test_without_the_library_the_settings_name_the_cure(tmp_path, text, monkeypatch):
    write(tmp_path, text + "[engine]\nkind = temporal\n")
    monkeypatch.setitem(sys.modules, "temporalio", None)
    with pytest.raises(ConfigError) as failed:
        load(tmp_path / "workflow.cfg", {})
    [problem] = failed.value.problems
    assert problem.startswith("[engine] kind: ")
    assert "pip install '.[temporal]'" in problem


def test_a_gate_without_temporal_never_imports_its_library():
    code = (
        "import sys; from approval.cli import main; import approval.cli.assembly;"
        "assert 'temporalio' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def adopted(tmp_path):
    """How many wakes there are."""
    file = f"sqlite:///{tmp_path}/workflow.db"
    with closing(Database(file)) as database, database.read() as session:
        return len(session.execute(sa.select(WAKES)).all())


def test_adopt_has_every_open_request_looked_at(
    approval, serve, text, with_temporal, cloud, mails, tmp_path
):
    serving = serve(text)
    for machine in (59, 60):
        cloud.deploy_machine(machine)
    mails.to(MONA)
    serving.end()
    assert adopted(tmp_path) == 0
    assert approval("engine", "adopt").output.startswith("the embedded engine finds by itself")
    write(tmp_path, with_temporal)
    assert approval("engine", "adopt").output == "2 to be looked at\n"
    assert adopted(tmp_path) == 2


def test_adopt_needs_tables(approval, with_temporal, tmp_path):
    write(tmp_path, with_temporal)
    (tmp_path / "workflow.db").touch()
    result = approval("engine", "adopt")
    assert result.exit_code == 1
    assert "approval db upgrade" in result.output
    with closing(Database(f"sqlite:///{tmp_path}/workflow.db")) as database:
        upgrade(database)
    assert approval("engine", "adopt").output == "0 to be looked at\n"


@pytest.mark.parametrize("first", ["embedded", "temporal"])
def test_changing_the_engine_loses_nothing(serve, text, with_temporal, cloud, mails, first):
    before, after = (text, with_temporal) if first == "embedded" else (with_temporal, text)
    serving = serve(before)
    port = urlsplit(serving.url).port
    tasks = [task for machine in (59, 60) for task in cloud.deploy_machine(machine)]
    links = [mails.about(task, MONA).link("accept") for task in tasks]
    cloud.faults.plan(Fault(method="POST", status=503, times=None))
    press(links[0])
    serving.end()
    cloud.faults.clear()
    again = serve(after, port)
    press(links[1])
    wait_until(lambda: "QUEUEING" not in map(cloud.task_state, tasks), timeout=30)
    assert again.end() == 0


def test_a_gate_that_is_killed_while_it_tells_the_platform_goes_on_where_it_was(
    serve, with_temporal, cloud, mails
):
    serving = serve(with_temporal)
    [task] = cloud.deploy_machine(59)
    link = mails.to(MONA).link("accept")
    cloud.faults.plan(Fault(method="POST", delay=60, times=None))
    assert press(link).status_code == 200
    at_work = "SELECT id FROM jobs WHERE kind = 'release' AND lease IS NOT NULL"
    wait_until(lambda: on_disk(File(serving.folder / "workflow.db"), at_work))
    serving.end(signal.SIGKILL)
    cloud.faults.clear()
    again = serve(with_temporal, urlsplit(serving.url).port)
    wait_until(lambda: cloud.task_state(task) != "QUEUEING", timeout=60)
    assert requests.get(link, timeout=10).status_code == 410
    successes = [event for event in cloud.events if "continuation was successful" in event.text]
    assert len(successes) == 1
    assert again.end() == 0


def test_a_gate_whose_temporal_is_dead_records_and_says_how_far_it_is_behind(
    serve, text, cloud, mails, tmp_path_factory
):
    with running(tmp_path_factory.mktemp("mortal")) as mortal:
        serving = serve(text + mortal.settings(new_queue()))
        [task] = cloud.deploy_machine(59)
        link = mails.to(MONA).link("accept")
        mortal.kill()
        assert press(link).status_code == 200
        ready = requests.get(f"{serving.url}/readyz", timeout=5)
        assert ready.status_code == 200
        assert ready.json()["wakes_waiting"] == 1
        assert ready.json()["oldest_wake_seconds"] > 0
        metrics = requests.get(f"{serving.url}/metrics", timeout=5).text
        assert "approval_wakes_waiting 1.0" in metrics
        assert cloud.task_state(task) == "QUEUEING"
        mortal.start()
        wait_until(lambda: cloud.task_state(task) != "QUEUEING", timeout=60)
        readyz = f"{serving.url}/readyz"
        wait_until(lambda: requests.get(readyz, timeout=5).json()["wakes_waiting"] == 0)
        assert serving.end() == 0


@pytest.mark.only_on("postgresql")
def test_web_and_workers_apart_do_what_one_gate_does_though_a_worker_dies(
    text, temporal, launch, cloud, mails, tmp_path
):
    with stores.fresh(tmp_path) as store:
        settings = f"{text}{store.settings}{temporal.settings(new_queue())}"
        url = write(tmp_path, settings)
        web, *workers = [launch(url, command=name) for name in ("web", "worker", "worker")]
        wait_until(web.answers, timeout=60)
        cloud.callback_url = f"{url}/callback"
        [task] = cloud.deploy_machine(59)
        wait_until(lambda: store.rows("SELECT 1 FROM events WHERE kind = 'mailed'"), timeout=60)
        link = mails.to(MONA).link("accept")
        assert workers[0].end(signal.SIGKILL) == -signal.SIGKILL
        assert press(link).status_code == 200
        wait_until(lambda: cloud.task_state(task) != "QUEUEING", timeout=60)
        assert [each.end() for each in (web, workers[1])] == [0, 0]

"""What people see when something is broken."""

import re

import pytest

from tests.conftest import MAX, served_site
from tests.forms import press, words


def override(folder, name, text):
    file = folder / "templates" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return "templates = templates"


def test_a_broken_page_is_a_500_with_a_reference_and_without_insides(tmp_path, capfd):
    extra = override(tmp_path, "page/confirm.html", "\n{{ there.is.no.such.thing }}")
    with served_site(tmp_path, extra) as site:
        [task] = site.deploy()
        mail = site.mail(task)
        answer = site.gate.get(mail.link("accept"))
        assert answer.status_code == 500
        assert "Something went wrong" in words(answer)
        for inside in ("Traceback", "jinja", ".py", str(tmp_path), "undefined"):
            assert inside not in answer.text
        [reference] = re.findall("name this reference: <bdi>([0-9a-f]{8})</bdi>", answer.text)
        log = capfd.readouterr().err
        assert reference in log
        assert "confirm.html" in log
        assert site.gate.press(mail.link("accept")).status_code == 200


def test_a_decision_is_kept_though_the_page_that_confirms_it_breaks(tmp_path):
    extra = override(tmp_path, "page/result.html", "{{ 1 / 0 }}")
    with served_site(tmp_path, extra) as site:
        [task] = site.deploy()
        link = site.mail(task).link("decline")
        answer = site.gate.press(link)
        assert answer.status_code == 500
        assert "it tells whether your decision was recorded" in words(answer)
        assert site.gate.get(link).status_code == 410
        site.settle()
        assert site.posts(task) == ["cancel"]


def test_even_if_no_page_works_nothing_of_the_inside_is_shown(tmp_path):
    extra = override(tmp_path, "page/base.html", "{{ there.is.no.such.thing }}")
    with served_site(tmp_path, extra) as site:
        [task] = site.deploy()
        answer = site.gate.get(site.mail(task).link("accept"))
        assert answer.status_code == 500
        for inside in ("Traceback", "jinja", ".py", str(tmp_path), "undefined"):
            assert inside not in answer.text
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_while_the_store_is_down_pages_say_so_and_a_press_can_be_repeated(tmp_path):
    with served_site(tmp_path) as site:
        [task] = site.deploy()
        link = site.mail(task).link("accept")
        site.settle()
        site.gate.store.change("ALTER TABLE tasks RENAME TO away")
        for answer in (site.gate.get(link), site.gate.press(link)):
            assert answer.status_code == 503
            assert "The database cannot be reached just now" in words(answer)
        assert site.gate.get("/readyz").json()["engine"] is True
        site.gate.store.change("ALTER TABLE away RENAME TO tasks")
        assert site.gate.press(link).status_code == 200


# -- the platform


@pytest.fixture
def pressed(site):
    """A task that was accepted while the platform is down."""
    [task] = site.deploy()
    mail = site.mail(task)
    site.settle()
    site.cloud.faults.down = True
    result = site.gate.press(mail.link("accept"))
    yield task, mail, result
    site.cloud.faults.clear()


def test_while_the_platform_is_down_pages_say_that_the_decision_is_being_sent(site, pressed):
    task, mail, result = pressed
    late = site.gate.get(site.mail(task, MAX).link("decline"))
    assert (result.status_code, late.status_code) == (200, 410)
    for page in (result, late, site.gate.get(mail.link("review"))):
        assert "The decision is recorded and is being sent to Abiquo" in words(page)
        assert "has been told" not in words(page)


def test_once_the_platform_is_back_pages_say_that_it_was_told(site, pressed):
    task, mail, _ = pressed
    site.cloud.faults.clear()
    site.gate.catch_up()
    assert site.posts(task)[-1] == "continue"
    assert site.cloud.task_state(task) != "QUEUEING"
    assert "Abiquo has been told" in words(site.gate.get(mail.link("review")))


def test_a_decision_that_the_platform_made_otherwise_meanwhile_is_not_claimed(site, pressed):
    task, mail, _ = pressed
    site.cloud.decide(task, "cancel")
    site.cloud.faults.clear()
    site.gate.catch_up()
    for answer in (
        site.gate.get(mail.link("review")),
        site.gate.get(site.mail(task, MAX).link("accept")),
    ):
        said = words(answer)
        assert "Accepted but overtaken" in said
        assert "But it had already ended in Abiquo" in said
        assert "Abiquo has been told" not in said
    outcome = site.mails.to("ana@acme.example", "overtaken")
    assert "overtaken" in outcome.text


def test_the_figures_count_callbacks_and_decisions(tmp_path):
    with served_site(tmp_path) as site:
        [task] = site.deploy()
        press(site.gate, site.gate.get(site.mail(task).link("accept")), "Accept")
        site.gate.callback(b"what?")
        site.settle()
        figures = site.gate.get("/metrics").text
        assert 'approval_callbacks_total{status="202"} 1.0' in figures
        assert 'approval_callbacks_total{status="400"} 1.0' in figures
        assert 'approval_decisions_total{action="accept"} 1.0' in figures
        assert "approval_store_up 1.0" in figures


def test_a_decision_that_is_not_delivered_shows_in_the_readiness(site, pressed):
    answer = site.gate.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["oldest_undelivered_seconds"] > 0

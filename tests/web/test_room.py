"""What callers, operators and people meet when too many tasks wait."""

import time

import pytest

from tests.conftest import MONA, served_site
from tests.forms import press


@pytest.fixture
def full(tmp_path):
    """A site where two tasks may wait, and do; and two more are held."""
    with served_site(tmp_path, "most_pending = 2") as site:
        site.cloud.world.clock = lambda: time.time() - 60  # so that nothing is new
        tasks = site.deploy(2)
        site.settle()
        site.cloud.callback_url = None
        yield site, tasks, site.deploy(2)


def test_a_callback_for_which_there_is_no_room_is_told_to_come_again(full):
    site, tasks, more = full
    before = site.gate.tables()["tasks"]
    answer = site.gate.callback(site.cloud.callback_body(more))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "300")
    assert answer.json() == {
        "error": "too many tasks wait for a decision; reconciling takes these in later"
    }
    assert site.gate.tables()["tasks"] == before
    assert site.gate.callback(site.cloud.callback_body(tasks)).status_code == 200


def test_links_go_on_working_and_make_room_for_what_was_turned_away(full):
    site, tasks, more = full
    mail = site.mail(tasks[0])
    for task in tasks:
        page = site.gate.get(mail.link("accept", task=task))
        assert press(site.gate, page, "Accept").status_code == 200
    assert "approval_tasks_pending 0.0" in site.gate.get("/metrics").text
    site.gate.service.jobs.begin_rounds()
    site.gate.hurry()
    for task in more:
        assert site.mail(task, MONA)


def test_the_figures_and_the_operator_tell_of_it(full):
    site, _, more = full
    site.gate.callback(site.cloud.callback_body(more))
    figures = site.gate.get("/metrics").text
    assert "approval_tasks_pending 2.0" in figures
    assert 'approval_callbacks_total{status="503"} 1.0' in figures
    alert = site.mails.to("operator@gate.example", "turned away")
    assert "most_pending is 2" in alert.text

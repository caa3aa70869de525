"""Whatever befalls what the gate asks the platform: it asks nobody, says so, and goes on later."""

from datetime import timedelta

import pytest

from approval.model import TaskState
from tests.faults.troubles import (
    EVERY,
    FOR_GOOD,
    LATER,
    LOUD,
    MOVED,
    SILENT,
    dropped,
    moved,
    name,
    status,
)
from tests.faults.ways import MAX, MONA

LOOK = r"GET .*/tasks/[^/]+$"
VITAL = {
    "look": LOOK,
    "machine": r"GET .*/virtualmachines/\d+$",
    "users": r"GET .*/users\?",
    "all": r"GET ",
}
DETAILS = {"disks": r"GET .*/storage/disks$", "requester": r"GET .*/users/1$"}
CALLS = VITAL | DETAILS
UNKNOWN = b'{"links":[],"collection":[{"code":"TASK-1","message":"The task does not exist"}]}'
MOMENT = timedelta(minutes=1)

calls = pytest.mark.parametrize("call", VITAL)


@calls
@pytest.mark.parametrize("trouble", LOUD, ids=name)
def test_a_line_that_breaks_delays_and_nothing_else(way, call, trouble):
    way.spoil(CALLS[call], trouble)
    delayed(way)
    assert sum(way.outside.line.flood) < 40


@pytest.mark.parametrize("call", ["look", "machine", "users"])
@pytest.mark.parametrize("trouble", SILENT, ids=name)
def test_a_line_that_is_slow_delays_and_nothing_else(hasty_calls, call, trouble):
    hasty_calls.spoil(CALLS[call], trouble)
    delayed(hasty_calls)
    assert hasty_calls.outside.line.heard_out == []


@calls
@pytest.mark.parametrize("code", LATER)
def test_an_answer_that_is_not_the_platforms_delays_and_nothing_else(way, call, code):
    way.spoil(CALLS[call], status(code))
    delayed(way)


@calls
@pytest.mark.parametrize("code", MOVED)
def test_credentials_and_questions_follow_to_no_other_host(way, call, code):
    way.spoil(CALLS[call], moved(code))
    delayed(way)
    assert way.outside.elsewhere.heard == []


def delayed(way):
    way.announce()
    way.endure()
    assert (way.state, way.posts, way.mailed) == ("QUEUEING", [], [])
    assert way.events == ["received", "failed"]
    assert way.seen
    assert len(way.alerts) == 1
    asked_in_the_end(way)
    assert way.request.missing == ()


def asked_in_the_end(way):
    way.mend()
    assert sorted(way.mailed) == [MAX, MONA]
    assert (way.state, way.posts) == ("QUEUEING", [])
    assert way.decided.state is TaskState.PENDING


@pytest.mark.parametrize("call", VITAL)
def test_no_status_lets_a_task_pass_or_makes_it_forgotten(way, call):
    way.announce()
    for code in EVERY:
        way.spoil(CALLS[call], status(code))
        way.gate.redeliver()
        way.gate.work()
        assert f": {code}" in "".join(way.errors()) or code == 404
        assert (way.posts, way.mailed) == ([], [])
    asked_in_the_end(way)


@pytest.mark.parametrize("call", ["machine", "users"])
@pytest.mark.parametrize("code", FOR_GOOD)
def test_a_refusal_for_good_waits_for_the_operator(way, call, code):
    way.spoil(CALLS[call], status(code))
    set_aside(way)


@pytest.mark.parametrize("code", [code for code in FOR_GOOD if code != 404])
def test_a_look_that_is_refused_for_good_waits_for_the_operator(way, code):
    way.spoil(LOOK, status(code))
    set_aside(way)


def set_aside(way):
    way.announce()
    way.endure()
    assert (way.state, way.posts, way.mailed) == ("QUEUEING", [], [])
    assert way.events == ["received", "parked"]
    assert len(way.seen) == len(way.alerts) == 1
    asked_in_the_end(way)


@pytest.mark.parametrize("call", DETAILS)
@pytest.mark.parametrize("code", [*FOR_GOOD, *LATER])
def test_without_details_that_cannot_be_had_soon_it_is_asked_all_the_same(way, call, code):
    way.spoil(CALLS[call], status(code))
    way.announce()
    way.endure()
    assert sorted(way.mailed) == [MAX, MONA]
    assert len(way.request.missing) == 1
    assert (way.state, way.posts) == ("QUEUEING", [])


@pytest.mark.parametrize("call", DETAILS)
def test_without_details_that_cannot_be_had_it_is_asked_at_last(way, call):
    way.spoil(CALLS[call], dropped)
    way.announce()
    way.gate.pass_time(hours=1)
    assert sorted(way.mailed) == [MAX, MONA]
    assert len(way.request.missing) == 1


def test_that_a_proxy_knows_no_address_says_nothing_about_the_task(way):
    way.spoil(r"GET ", status(404))
    delayed(way)


def test_a_task_that_is_unknown_for_a_moment_is_asked_about_afterwards(way):
    way.spoil(LOOK, status(404, UNKNOWN))
    way.announce()
    way.endure(MOMENT)
    assert (way.mailed, way.events) == ([], ["received", "failed"])
    asked_in_the_end(way)


def test_a_task_that_stays_unknown_is_withdrawn_and_nothing_is_posted(way):
    way.spoil(LOOK, status(404, UNKNOWN))
    way.announce()
    way.endure()
    assert (way.mailed, way.posts) == ([], [])
    assert way.events == ["received", "failed", "verified", "withdrawn"]


@calls
@pytest.mark.parametrize("theirs", ["continue", "cancel"])
def test_what_is_decided_there_meanwhile_is_not_asked_about(way, call, theirs):
    way.spoil(CALLS[call], dropped)
    way.announce()
    way.gate.work()
    way.outside.cloud.decide(way.task, theirs)
    way.mend()
    assert (way.mailed, way.posts) == ([], [])
    assert way.events == ["received", "failed", "verified", "withdrawn"]

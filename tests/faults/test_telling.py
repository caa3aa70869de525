"""Whatever befalls what the gate tells the platform: it hears what was decided, with one effect."""

import pytest

from approval.model import Action, Delivery
from tests.fakes import text_of
from tests.faults.troubles import (
    EVERY,
    FOR_GOOD,
    LATER,
    LOUD,
    MOVED,
    SILENT,
    a_page,
    acts_and,
    dropped,
    garbage,
    hung,
    hung_amid,
    moved,
    name,
    status,
    truncated,
)
from tests.faults.ways import ANA, MAX, MONA

POST, ALL = r"POST ", r""
VERBS = {Action.ACCEPT: "continue", Action.DECLINE: "cancel"}
STATES = {Action.ACCEPT: {"PENDING", "STARTED"}, Action.DECLINE: {"CANCELLED"}}
ACTED = [dropped, truncated, garbage, a_page, status(500), status(302)]

actions = pytest.mark.parametrize("action", Action)
calls = pytest.mark.parametrize("calls", [POST, ALL], ids=["the call", "every call"])


@actions
@calls
@pytest.mark.parametrize("trouble", LOUD, ids=name)
def test_a_line_that_breaks_delays_and_nothing_else(way, action, calls, trouble):
    delayed(way, action, calls, trouble)
    assert sum(way.outside.line.flood) < 40


@actions
@pytest.mark.parametrize("trouble", SILENT, ids=name)
def test_a_line_that_is_slow_delays_and_nothing_else(hasty_calls, action, trouble):
    delayed(hasty_calls, action, POST, trouble)
    assert hasty_calls.outside.line.heard_out == []


@actions
@pytest.mark.parametrize("code", LATER)
def test_an_answer_that_is_not_the_platforms_delays_and_nothing_else(way, action, code):
    delayed(way, action, POST, status(code))


@actions
@calls
@pytest.mark.parametrize("code", MOVED)
def test_credentials_and_decisions_follow_to_no_other_host(way, action, calls, code):
    delayed(way, action, calls, moved(code))
    assert way.outside.elsewhere.heard == []


@actions
def test_no_status_changes_a_decision_or_makes_it_forgotten(way, action):
    way.ask()
    way.press(action)
    for code in EVERY:
        way.spoil(POST, status(code))
        way.gate.redeliver()
        way.gate.work()
        assert f": {code}" in "".join(way.errors())
        assert (way.state, way.posts) == ("QUEUEING", [])
    told_in_the_end(way, action)


def delayed(way, action, calls, trouble):
    way.ask()
    way.spoil(calls, trouble)
    way.press(action)
    way.endure()
    assert (way.state, way.posts) == ("QUEUEING", [])
    assert way.decided.delivery is Delivery.WAITING
    assert "failed" in way.events
    assert way.seen
    assert len(way.alerts) == 1
    told_in_the_end(way, action)


def told_in_the_end(way, action):
    way.mend()
    assert way.state in STATES[action]
    assert way.posts == [VERBS[action]]
    assert way.decided.delivery is Delivery.DELIVERED
    assert sorted(way.mailed) == [ANA, MAX, MAX, MONA]


@actions
@pytest.mark.parametrize("trouble", ACTED, ids=name)
def test_what_took_effect_is_not_done_again(way, action, trouble):
    acted(way, action, trouble)


@actions
@pytest.mark.parametrize("trouble", [hung, hung_amid], ids=name)
def test_what_took_effect_in_silence_is_not_done_again(hasty_calls, action, trouble):
    acted(hasty_calls, action, trouble)


def acted(way, action, trouble):
    way.ask()
    way.spoil(POST, acts_and(trouble))
    way.press(action)
    way.endure()
    assert "failed" in way.events
    told_in_the_end(way, action)


@actions
@pytest.mark.parametrize("code", FOR_GOOD)
def test_a_refusal_for_good_waits_for_the_operator(way, action, code):
    way.ask()
    way.spoil(POST, status(code))
    way.press(action)
    way.endure()
    assert (way.state, way.posts) == ("QUEUEING", [])
    assert way.decided.delivery is Delivery.REFUSED
    assert way.decided.delivery_note.startswith(str(code))  # not with what was called
    assert "parked" in way.events
    [alert] = way.alerts
    assert f"/tasks/{way.task}/action/{VERBS[action]}: {code}" in text_of(alert)
    told_in_the_end(way, action)


@actions
def test_a_refusal_for_good_of_every_call_is_no_reason_to_give_up(way, action):
    delayed(way, action, ALL, status(400))


@actions
@pytest.mark.parametrize("theirs", VERBS.values())
@pytest.mark.parametrize("code", [400, 409, 500])
def test_what_was_decided_there_in_between_is_found_out(way, action, theirs, code):
    """They decide at the moment in which our call arrives."""

    def decides_and_refuses(caller):
        if way.state == "QUEUEING":
            way.outside.cloud.decide(way.task, theirs)
        status(code)(caller)

    way.ask()
    way.spoil(POST, decides_and_refuses)
    way.press(action)
    way.endure()
    way.mend()
    ours = theirs == VERBS[action]
    assert way.posts == []
    assert way.decided.delivery is (Delivery.DELIVERED if ours else Delivery.OVERTAKEN)
    assert way.decided.decision.by == "Mona Manager"
    assert ("overtaken" in way.events) is not ours


@actions
def test_a_task_that_vanishes_in_between_waits_for_the_operator(way, action):
    def vanishes(caller):
        way.outside.cloud.expire(way.task)
        caller.say(caller.ask())

    way.ask()
    way.spoil(POST, vanishes)
    way.press(action)
    way.endure()
    way.gate.pass_time(minutes=3)
    assert way.decided.delivery is Delivery.REFUSED
    assert "no longer knows" in way.decided.delivery_note
    assert len(way.alerts) == 1

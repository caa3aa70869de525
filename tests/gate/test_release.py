"""Telling the platform: once if possible, at least once in any case, and the truth about it."""

import pytest

from approval.gate.trouble import UnknownTasks
from approval.model import Action, Delivery, PlatformState
from tests.fakes import (
    ANA,
    BEA,
    MAX,
    NOW,
    OPERATOR,
    asked_to_wait,
    forbidden,
    refused,
    text_of,
    unreachable,
)

EFFECTS = {Action.ACCEPT: PlatformState.CONTINUED, Action.DECLINE: PlatformState.CANCELLED}
OPPOSITES = {Action.ACCEPT: PlatformState.CANCELLED, Action.DECLINE: PlatformState.CONTINUED}
WORDS = {Action.ACCEPT: "accepted", Action.DECLINE: "declined"}
BEFORE = ["received", "verified", "asked", "mailed", "mailed"]
TOLD = ["told", "told"]


@pytest.fixture
def asked(gate):
    """The approvers have been asked about task 1; returns the request's id."""
    request_id = gate.ask("1")
    gate.platform.calls.clear()
    return request_id


@pytest.mark.parametrize("action", Action)
def test_the_platform_is_told_once_and_not_asked_before(gate, asked, action):
    gate.press(BEA, action, "1")
    gate.pass_time(days=1)
    assert gate.platform.calls == ["release 1", "answer 1"]
    assert gate.platform.states["1"] is EFFECTS[action]
    assert gate.task().delivery is Delivery.DELIVERED
    assert gate.task().delivered_at == NOW


def test_after_a_failed_attempt_it_looks_before_it_posts(gate, asked):
    gate.platform.errors["release"] = [unreachable(), asked_to_wait(20)]
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(hours=1)
    assert gate.platform.calls == [
        "release 1", "look 1", "release 1", "look 1", "release 1", "answer 1",
    ]  # fmt: skip
    assert gate.task().delivery is Delivery.DELIVERED


def test_every_repetition_of_a_call_has_the_same_key_and_message(gate, asked):
    gate.platform.errors["release"] = [unreachable(), unreachable()]
    gate.press(BEA, Action.ACCEPT, "1", comment="fine")
    gate.pass_time(hours=1)
    assert len(gate.platform.posts) == 3
    assert len(set(map(repr, gate.platform.posts))) == 1


def test_calls_about_different_tasks_have_different_keys(gate):
    gate.ask("1", "2")
    gate.press(BEA, Action.ACCEPT, "1", "2")
    gate.work()
    assert len({post.key for post in gate.platform.posts}) == 2


@pytest.mark.parametrize("action", Action)
def test_a_call_whose_answer_was_lost_is_not_posted_again(gate, asked, action):
    gate.platform.errors["answer"] = [unreachable()]
    gate.press(BEA, action, "1")
    gate.pass_time(hours=1)
    assert gate.platform.told == [("1", action)]
    assert gate.task().delivery is Delivery.DELIVERED
    assert gate.kinds(asked) == [*BEFORE, WORDS[action], "failed", *TOLD, "delivered"]


@pytest.mark.parametrize("action", Action)
def test_a_task_that_went_the_same_way_on_the_platform_is_delivered(gate, asked, action):
    gate.platform.states["1"] = EFFECTS[action]
    gate.press(BEA, action, "1")
    gate.work()
    assert gate.task().delivery is Delivery.DELIVERED
    assert gate.kinds(asked) == [*BEFORE, WORDS[action], "delivered", *TOLD]
    assert gate.mails.to(OPERATOR) == []


@pytest.mark.parametrize("action", Action)
def test_a_task_that_went_the_other_way_on_the_platform_is_overtaken(gate, asked, action):
    gate.platform.states["1"] = OPPOSITES[action]
    gate.press(BEA, action, "1")
    gate.work()
    task = gate.task()
    assert (task.delivery, task.delivered_at) == (Delivery.OVERTAKEN, None)
    assert task.state == WORDS[action]
    assert gate.kinds(asked)[:7] == [*BEFORE, WORDS[action], "overtaken"]
    assert gate.platform.states["1"] is OPPOSITES[action]


def test_of_an_overtaken_decision_the_requester_and_every_approver_are_told(gate, asked):
    gate.platform.states["1"] = PlatformState.CANCELLED
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    for person in (ANA, BEA, MAX):
        assert "cancelled there before" in text_of(gate.mails.to(person)[-1])


def test_an_overtaken_decision_is_told_to_those_who_were_told_otherwise(gate, asked):
    gate.platform.errors["release"] = [unreachable()]
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    assert "being sent" in text_of(gate.mails.to(ANA)[-1])
    gate.platform.states["1"] = PlatformState.CANCELLED
    gate.pass_time(hours=1)
    assert "cancelled there before" in text_of(gate.mails.to(ANA)[-1])
    assert len({mail["Message-ID"] for mail in gate.mails.to(ANA)}) == 2


def test_a_call_that_is_refused_for_good_is_explained_by_a_look(gate, asked):
    gate.platform.errors["release"] = [refused()]
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    assert gate.platform.calls == ["release 1", "look 1"]


def test_a_task_that_is_still_held_after_a_refusal_for_good_waits_for_the_operator(gate, asked):
    gate.platform.broken["release"] = refused()
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    assert gate.task().delivery is Delivery.REFUSED
    [alert] = gate.mails.to(OPERATOR)
    assert "POST continue: 409" in text_of(alert)
    assert "refused it: 409. It waits for the operator" in text_of(gate.mails.to(ANA)[-1])
    gate.pass_time(days=4)
    assert len(gate.platform.posts) == 1
    assert gate.kinds(asked) == [*BEFORE, "accepted", "parked", *TOLD]


def test_a_task_that_is_gone_when_it_was_decided_is_refused_after_two_minutes(gate, asked):
    gate.platform.states["1"] = PlatformState.GONE
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(minutes=1, seconds=59)
    assert gate.task().delivery is Delivery.WAITING
    gate.pass_time(seconds=10)
    assert gate.task().delivery is Delivery.REFUSED
    assert "no longer knows" in gate.task().delivery_note
    assert len(gate.mails.to(OPERATOR)) == 1
    assert gate.kinds(asked) == [*BEFORE, "accepted", "failed", *TOLD, "parked"]


def test_a_task_that_is_gone_only_in_passing_is_delivered(gate, asked):
    gate.platform.states["1"] = PlatformState.GONE
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(minutes=1)
    gate.platform.states["1"] = PlatformState.HELD
    gate.pass_time(seconds=5)
    assert gate.task().delivery is Delivery.DELIVERED
    assert gate.mails.to(OPERATOR) == []


def test_a_task_that_is_gone_when_an_outage_ends_has_two_minutes_too(gate, asked):
    gate.platform.broken["release"] = unreachable()
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(hours=1)
    gate.platform.broken.clear()
    gate.platform.states["1"] = PlatformState.GONE
    gate.pass_time(hours=1)
    assert gate.task().delivery is Delivery.REFUSED
    assert gate.platform.calls.count("look 1") > 24


def test_a_task_that_is_not_gone_all_the_time_is_not_believed_gone(gate, asked):
    gate.platform.states["1"] = PlatformState.GONE
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(minutes=1, seconds=50)
    gate.platform.errors["look"] = [unreachable()]
    gate.pass_time(minutes=1, seconds=50)
    assert gate.task().delivery is Delivery.WAITING
    gate.pass_time(hours=2)
    assert gate.task().delivery is Delivery.REFUSED


def test_a_task_that_was_believed_gone_has_two_minutes_again_when_it_is_redelivered(gate, asked):
    gate.platform.states["1"] = PlatformState.GONE
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(minutes=3)
    assert gate.task().delivery is Delivery.REFUSED
    gate.redeliver("1")
    gate.pass_time(minutes=1)
    gate.platform.states["1"] = PlatformState.HELD
    gate.pass_time(seconds=5)
    assert gate.task().delivery is Delivery.DELIVERED


def test_a_refusal_that_cannot_be_explained_yet_is_tried_again(gate, asked):
    gate.platform.errors["release"] = [refused()]
    gate.platform.errors["look"] = [unreachable()]
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    assert gate.task().delivery is Delivery.WAITING
    gate.pass_time(hours=1)
    assert gate.task().delivery is Delivery.DELIVERED


@pytest.mark.parametrize("error", [unreachable(), forbidden(), asked_to_wait(3000), OSError("bug")])
def test_a_platform_that_is_down_for_hours_is_told_when_it_is_back(gate, asked, error):
    gate.platform.broken["release"] = error
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(hours=3)
    assert gate.task().delivery is Delivery.WAITING
    gate.platform.broken.clear()
    gate.pass_time(hours=1)
    assert gate.task().delivery is Delivery.DELIVERED
    assert gate.kinds(asked) == [*BEFORE, "accepted", "failed", *TOLD, "delivered"]


def test_the_platform_is_left_alone_for_as_long_as_it_asked(gate, asked):
    gate.platform.errors["release"] = [asked_to_wait(600)]
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(seconds=599)
    assert len(gate.platform.posts) == 1
    gate.pass_time(seconds=1)
    assert len(gate.platform.posts) == 2


@pytest.fixture
def given_up(gate, asked):
    """The platform was down until the gate gave up; returns the request's id."""
    gate.platform.broken["release"] = unreachable()
    gate.press(BEA, Action.ACCEPT, "1", comment="fine")
    gate.pass_time(hours=5)
    gate.platform.broken.clear()
    gate.platform.calls.clear()
    return asked


def test_what_could_not_be_told_for_too_long_has_failed_and_waits_for_the_operator(gate, given_up):
    gate.pass_time(days=3)
    assert gate.platform.calls == []
    assert gate.task().delivery is Delivery.FAILED
    assert gate.kinds(given_up) == [*BEFORE, "accepted", "failed", *TOLD, "parked"]
    assert "approval redeliver" in text_of(gate.mails.to(OPERATOR)[-1])


def test_redelivering_takes_it_up_and_looks_first(gate, given_up):
    assert gate.redeliver("1") == [f"release of request {given_up}"]
    assert gate.task().delivery is Delivery.WAITING
    gate.work()
    assert gate.platform.calls == ["look 1", "release 1", "answer 1"]
    assert gate.task().delivery is Delivery.DELIVERED
    assert gate.kinds(given_up)[-2:] == ["redelivered", "delivered"]


def test_redelivering_posts_nothing_if_the_platform_has_it_already(gate, given_up):
    gate.platform.states["1"] = PlatformState.CONTINUED
    posts = len(gate.platform.posts)
    gate.redeliver()
    gate.work()
    assert len(gate.platform.posts) == posts
    assert gate.task().delivery is Delivery.DELIVERED


def test_redelivering_again_starts_anew(gate, given_up):
    gate.platform.broken["release"] = unreachable()
    gate.redeliver("1")
    gate.pass_time(hours=3)
    assert gate.task().delivery is Delivery.WAITING
    gate.pass_time(hours=2)
    assert gate.task().delivery is Delivery.FAILED


def test_redelivering_twice_takes_it_up_once(gate, given_up):
    gate.redeliver("1")
    assert gate.redeliver("1") == []
    gate.work()
    assert gate.redeliver("1") == []


def test_redelivering_another_task_takes_up_nothing(gate, given_up):
    gate.ask("2")
    assert gate.redeliver("2") == []
    assert gate.task().delivery is Delivery.FAILED


def test_redelivering_takes_up_nothing_if_a_task_is_unknown(gate, given_up):
    with pytest.raises(UnknownTasks, match=r"^unknown$"):
        gate.redeliver("1", "unknown")
    assert gate.task().delivery is Delivery.FAILED


def test_redelivering_what_was_refused_tries_again(gate, asked):
    gate.platform.errors["release"] = [refused()]
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    gate.redeliver()
    gate.work()
    assert gate.task().delivery is Delivery.DELIVERED


@pytest.mark.parametrize("state", PlatformState)
def test_whatever_becomes_of_telling_it_the_decision_never_changes(gate, asked, state):
    gate.press(BEA, Action.ACCEPT, "1", comment="fine")
    decided = gate.task()
    gate.platform.errors["release"] = [unreachable()]
    gate.work()
    gate.platform.states["1"] = state
    gate.pass_time(days=4)
    gate.redeliver()
    gate.pass_time(days=1)
    assert gate.task().state is decided.state
    assert gate.task().decision == decided.decision


def test_the_operator_hears_of_an_outage_that_lasts(gate, asked):
    gate.platform.broken["release"] = unreachable()
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    assert gate.mails.to(OPERATOR) == []
    gate.pass_time(hours=2)
    mail = gate.mails.to(OPERATOR)[0]
    assert "could not be told of a decision" in mail["Subject"]
    assert "no connection" in text_of(mail)

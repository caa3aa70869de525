"""Deliveries in doubt: what reconciling finds out about decisions, and what it leaves alone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from approval.gate import audit, deliveries
from approval.gate.purge import purge
from approval.model import Action, Delivery, PlatformState, TaskState
from approval.platforms import PlatformError
from approval.store import jobs
from tests.fakes import (
    ANA,
    BEA,
    MAX,
    OPERATOR,
    asked_to_wait,
    forbidden,
    refused,
    text_of,
    unreachable,
)


def decide(gate, *ids, action=Action.ACCEPT):
    request_id = gate.ask(*ids)
    gate.press(BEA, action, *ids)
    gate.work()
    return request_id


@pytest.fixture
def waiting(gate):
    """Task 1 was accepted; the platform asks to be told in an hour. Returns the request's id."""
    gate.platform.errors["release"] = [asked_to_wait(3600)]
    request_id = decide(gate, "1")
    gate.clock.now += timedelta(minutes=11)
    gate.mails.sent.clear()
    return request_id


@pytest.fixture
def parked(gate):
    """Task 1 was accepted and the platform refused to hear of it. Returns the request's id."""
    gate.platform.errors["release"] = [refused()]
    request_id = decide(gate, "1")
    assert gate.task("1").delivery is Delivery.REFUSED
    gate.mails.sent.clear()
    return request_id


@pytest.fixture
def forgotten(gate):
    """Task 1 was declined and told so, and is held all the same. Returns the request's id."""
    request_id = decide(gate, "1", action=Action.DECLINE)
    gate.platform.states["1"] = PlatformState.HELD
    gate.mails.sent.clear()
    return request_id


@pytest.mark.parametrize("doubt", ["waiting", "parked"])
def test_what_went_our_way_is_delivered_and_its_job_is_gone(gate, doubt, request):
    request_id = request.getfixturevalue(doubt)
    gate.platform.states["1"] = PlatformState.CONTINUED
    assert gate.round() == ["settled the delivery of task 1: it was continued"]
    assert gate.task("1").delivery is Delivery.DELIVERED
    assert gate.kinds(request_id)[-1] == "delivered"
    assert gate.redeliver() == []
    posts = len(gate.platform.posts)
    gate.pass_time(hours=2)
    assert len(gate.platform.posts) == posts


@pytest.mark.parametrize("doubt", ["waiting", "parked"])
def test_what_went_the_other_way_is_overtaken_and_people_are_told(gate, doubt, request):
    request_id = request.getfixturevalue(doubt)
    gate.platform.states["1"] = PlatformState.CANCELLED
    gate.round()
    assert gate.round() == []
    gate.work()
    task = gate.task("1")
    assert (task.state, task.delivery) == (TaskState.ACCEPTED, Delivery.OVERTAKEN)
    assert gate.kinds(request_id).count("overtaken") == 1
    assert {ANA.address, BEA.address, MAX.address} <= set(gate.mails.recipients)


def test_what_is_still_held_and_waits_is_left_to_its_job(gate, waiting):
    assert gate.round() == []
    assert gate.task("1").delivery is Delivery.WAITING
    gate.pass_time(hours=1)
    assert gate.platform.states["1"] is PlatformState.CONTINUED


def test_what_was_decided_a_moment_ago_is_not_looked_at(gate):
    gate.platform.errors["release"] = [asked_to_wait(3600)]
    decide(gate, "1")
    gate.platform.states["1"] = PlatformState.CONTINUED
    assert gate.round() == []


def test_what_is_held_and_set_aside_stays_so_and_the_operator_is_told_daily(gate, parked):
    gate.pass_time(hours=2)
    gate.mails.sent.clear()
    gate.jobs.begin_rounds()
    gate.pass_time(hours=23)
    [mail] = gate.mails.to(OPERATOR)
    assert "still waits" in mail["Subject"]
    assert parked in text_of(mail)
    gate.pass_time(hours=2)
    assert len(gate.mails.to(OPERATOR)) == 2
    assert gate.task("1").delivery is Delivery.REFUSED
    assert gate.redeliver("1") != []
    gate.work()
    assert gate.task("1").delivery is Delivery.DELIVERED


def test_what_is_gone_stays_with_the_operator_for_an_hour(gate, parked):
    gate.platform.states["1"] = PlatformState.GONE
    for _ in range(6):
        assert gate.round() == []
        gate.clock.now += timedelta(minutes=9)
    assert gate.task("1").delivery is Delivery.REFUSED
    assert gate.redeliver("1") != []


def test_what_the_platform_has_forgotten_is_overtaken_and_people_are_told(gate, parked):
    gate.platform.states["1"] = PlatformState.GONE
    gate.round()
    gate.clock.now += timedelta(hours=1)
    assert gate.round() == ["settled the delivery of task 1: it was gone"]
    assert gate.round() == []
    gate.work()
    task = gate.task("1")
    assert (task.state, task.delivery) == (TaskState.ACCEPTED, Delivery.OVERTAKEN)
    assert task.delivery_note == "the platform no longer knows it"
    assert gate.kinds(parked).count("overtaken") == 1
    assert {ANA.address, BEA.address, MAX.address} <= set(gate.mails.recipients)
    assert "the platform no longer knows it" in text_of(gate.mails.to(ANA)[-1])
    with gate.database.read() as session:
        assert list(audit.faults(session)) == []


def test_a_decision_that_was_parked_as_its_task_was_gone_meets_its_end_by_itself(gate):
    gate.jobs.begin_rounds()
    request_id = gate.ask("1")
    gate.platform.states["1"] = PlatformState.GONE
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(minutes=30)
    assert gate.task("1").delivery is Delivery.REFUSED
    [mail] = gate.mails.to(OPERATOR)
    assert "reconciling ends it here" in " ".join(text_of(mail).split())
    gate.pass_time(minutes=40)
    assert gate.task("1").delivery is Delivery.OVERTAKEN
    assert "overtaken" in gate.kinds(request_id)
    with gate.database.read() as session:
        assert all(kind.parked == 0 for kind in jobs.backlog(session))


def test_what_the_platform_forgets_in_passing_is_not_forgotten(gate, parked):
    for state in (PlatformState.GONE, PlatformState.HELD, PlatformState.GONE):
        gate.platform.states["1"] = state
        gate.round()
        gate.clock.now += timedelta(minutes=50)
    assert gate.round() == []
    assert gate.task("1").delivery is Delivery.REFUSED


def test_what_is_redelivered_has_an_hour_again(gate, parked):
    gate.platform.states["1"] = PlatformState.GONE
    gate.round()
    gate.redeliver("1")
    gate.pass_time(minutes=59)
    assert gate.task("1").delivery is Delivery.REFUSED
    gate.round()
    gate.clock.now += timedelta(minutes=2)
    assert gate.round() == []
    assert gate.task("1").delivery is Delivery.REFUSED


def test_what_was_forgotten_and_is_held_again_is_for_the_operator(gate, parked):
    gate.platform.states["1"] = PlatformState.GONE
    gate.round()
    gate.clock.now += timedelta(hours=1)
    gate.round()
    gate.work()
    gate.mails.sent.clear()
    gate.platform.states["1"] = PlatformState.HELD
    gate.round()
    gate.work()
    [mail] = gate.mails.to(OPERATOR)
    assert "task 1" in text_of(mail)


def test_what_was_told_and_is_still_held_after_a_while_is_told_again(gate, forgotten):
    assert gate.round() == []  # it may need a moment
    gate.clock.now += timedelta(minutes=11)
    assert gate.round() == ["tells of task 1 again: it is still held"]
    assert gate.round() == []
    gate.work()
    first, second = gate.platform.posts
    assert first == second  # the same action, message and key
    assert gate.platform.states["1"] is PlatformState.CANCELLED
    assert gate.task("1").delivery is Delivery.DELIVERED
    assert gate.kinds(forgotten)[-2:] == ["doubted", "delivered"]
    assert gate.mails.sent == []


def test_a_list_that_only_says_that_it_is_held_changes_nothing(gate, forgotten):
    gate.platform.states["1"] = PlatformState.CANCELLED
    gate.platform.invented = [gate.platform.tasks["1"]]
    gate.clock.now += timedelta(minutes=11)
    assert gate.round() == []
    assert len(gate.platform.posts) == 1


@pytest.mark.parametrize("doubt", ["waiting", "parked", "forgotten"])
@pytest.mark.parametrize("failure", [forbidden, unreachable])
def test_nothing_is_settled_while_the_platform_cannot_be_asked(gate, doubt, failure, request):
    request.getfixturevalue(doubt)
    before = gate.task("1").delivery
    gate.clock.now += timedelta(minutes=11)
    gate.platform.broken["look"] = failure()
    with pytest.raises(PlatformError):
        gate.round()
    assert gate.task("1").delivery is before
    assert len(gate.platform.posts) == 1


def test_a_withdrawn_task_that_is_held_again_is_for_the_operator(gate):
    request_id = gate.receive("1")
    gate.platform.states["1"] = PlatformState.GONE
    gate.pass_time(minutes=3)
    assert gate.task("1").state is TaskState.WITHDRAWN
    gate.platform.states["1"] = PlatformState.HELD
    gate.round()
    gate.round()
    gate.work()
    [mail] = gate.mails.to(OPERATOR)
    assert "task 1" in text_of(mail)
    assert gate.task("1").state is TaskState.WITHDRAWN
    assert gate.kinds(request_id).count("withdrawn") == 1


def test_what_was_purged_and_is_held_again_is_for_the_operator(gate, forgotten):
    gate.platform.states["1"] = PlatformState.CANCELLED
    gate.clock.now += timedelta(days=400)
    purge(gate.database, gate.clock() - timedelta(days=365), gate.clock(), lambda: None)
    gate.platform.states["1"] = PlatformState.HELD
    assert gate.round() == []
    gate.work()
    [mail] = gate.mails.to(OPERATOR)
    assert "task 1" in text_of(mail)


def test_what_somebody_tells_at_this_moment_is_left_to_them(gate, waiting):
    gate.platform.on_call = lambda verb: verb == "look" and gate.redeliver("1") and gate.work()
    gate.round()
    assert gate.kinds(waiting).count("delivered") == 1


def test_two_rounds_at_once_settle_each_once(gate):
    ids = [str(number) for number in range(6)]
    gate.platform.errors["release"] = [asked_to_wait(3600) for _ in ids]
    request_id = decide(gate, *ids)
    gate.clock.now += timedelta(minutes=11)
    for id in ids:
        gate.platform.states[id] = PlatformState.CONTINUED
    with ThreadPoolExecutor(4) as pool:
        said = [[] for _ in range(4)]
        list(pool.map(lambda mine: gate.reconciler().round(mine.append), said))
    assert sum(map(len, said)) == 6
    assert gate.kinds(request_id).count("delivered") == 6


def test_two_rounds_at_once_tell_again_once(gate, forgotten):
    gate.clock.now += timedelta(minutes=11)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: gate.reconciler().round(lambda words: None), range(4)))
    assert gate.kinds(forgotten).count("doubted") == 1
    gate.work()
    assert len(gate.platform.posts) == 2


def test_many_are_settled_over_several_rounds(gate, monkeypatch):
    monkeypatch.setattr(deliveries, "PAGE", 3)
    ids = [str(number) for number in range(7)]
    gate.platform.errors["release"] = [refused() for _ in ids]
    decide(gate, *ids)
    for id in ids[3:]:
        gate.platform.states[id] = PlatformState.CONTINUED
    assert sum(len(gate.round()) for _ in range(3)) == 4

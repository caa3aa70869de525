"""Wakes: left with every change of which an engine outside has to hear, and kept until it did."""

from contextlib import suppress
from datetime import timedelta

import pytest

from approval.model import Action, PlatformState
from approval.platforms import PlatformError
from approval.store import jobs, wakes
from approval.store.jobs import EVERYTHING, Kind
from tests.fakes import BEA, NOW, refused
from tests.gate.conftest import gate, make_gate

__all__ = ["gate", "make_gate"]


class Undone(Exception):
    """The use case is not to be."""


@pytest.fixture
def outside(gate):
    """A gate whose engine is outside of it."""
    gate.database.hands_over = True
    return gate


def waiting(gate):
    with gate.database.read() as session:
        return wakes.waiting(session, 100)


def owners(gate):
    return [wake.owner for wake in waiting(gate)]


def hand_over(gate, handed=None):
    with gate.database.write() as session:
        wakes.done(session, waiting(gate) if handed is None else handed)


def test_an_engine_inside_leaves_none(gate):
    gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1")
    assert waiting(gate) == []


def test_a_callback_and_a_press_leave_one_for_their_request(outside):
    request_id = outside.receive("1")
    assert owners(outside) == [request_id]
    outside.work()
    hand_over(outside)
    assert owners(outside) == []
    outside.press(BEA, Action.ACCEPT, "1")
    assert owners(outside) == [request_id]


def test_what_a_job_leaves_to_do_for_its_own_request_leaves_none(outside):
    outside.receive("1")
    hand_over(outside)
    outside.mails.broken = RuntimeError("a bug")
    outside.work()
    assert owners(outside) == []
    outside.pass_time(minutes=5)
    assert owners(outside) == [Kind.ALERT]


def test_what_is_undone_leaves_none(outside):
    outside.ask("1")
    hand_over(outside)
    with suppress(Undone), outside.database.write() as session:
        jobs.add(session, Kind.ALERT, "1", None, outside.clock())
        raise Undone
    assert owners(outside) == []


def test_what_the_operator_takes_up_leaves_one(outside):
    request_id = outside.ask("1")
    outside.platform.errors["release"] = [refused()]
    outside.press(BEA, Action.ACCEPT, "1")
    outside.work()
    hand_over(outside)
    outside.redeliver()
    assert owners(outside) == [request_id]


def test_a_request_that_is_closed_without_anything_to_do_leaves_one(make_gate):
    gate = make_gate(notify_requester=False)
    gate.database.hands_over = True
    request_id = gate.ask("1")
    gate.withdraw(request_id)
    hand_over(gate)
    gate.platform.states["1"] = PlatformState.CANCELLED
    gate.clock.now += timedelta(hours=1)
    assert "withdrew" in gate.round()[0]
    assert owners(gate) == [request_id]


def test_what_belongs_to_no_request_is_woken_by_its_kind_and_rounds_are_not(outside):
    with outside.database.write() as session:
        jobs.add(session, Kind.ALERT, "1", None, outside.clock())
        jobs.add(session, Kind.RECONCILE, EVERYTHING, None, outside.clock())
    assert owners(outside) == [Kind.ALERT]


def test_what_changed_again_while_it_was_handed_over_stays(outside):
    request_id = outside.ask("1")
    before = waiting(outside)
    outside.press(BEA, Action.ACCEPT, "1")
    hand_over(outside, before)
    [wake] = waiting(outside)
    assert wake.owner == request_id
    assert wake.sequence != before[0].sequence


def test_what_was_handed_over_by_another_and_changed_again_stays(outside):
    outside.ask("1")
    before = waiting(outside)
    hand_over(outside)
    outside.press(BEA, Action.ACCEPT, "1")
    hand_over(outside, before)
    assert len(waiting(outside)) == 1


def test_the_oldest_comes_first_and_keeps_its_age(outside):
    first = outside.receive("1")
    outside.clock.now += timedelta(minutes=1)
    second = outside.receive("2")
    outside.clock.now += timedelta(minutes=1)
    outside.work()
    outside.press(BEA, Action.ACCEPT, "1")
    assert owners(outside) == [first, second]
    with outside.database.read() as session:
        assert wakes.backlog(session) == wakes.Backlog(2, NOW)


def test_what_lost_its_way_is_found_when_it_is_overdue(gate):
    gate.ask("1")
    late, lost = gate.ask("3"), gate.receive("2")
    with gate.database.write() as session:
        jobs.add(session, Kind.ALERT, "1", None, gate.clock())
        jobs.add(session, Kind.RECONCILE, EVERYTHING, None, gate.clock())
        jobs.add(session, Kind.LAPSE, late, late, gate.clock())
    later = gate.clock() + timedelta(minutes=1)
    with gate.database.read() as session:
        assert wakes.overdue(session, gate.clock(), 100) == set()
        assert wakes.overdue(session, later, 100) == {lost, late, Kind.ALERT}


def test_who_has_much_that_is_overdue_hides_nobody(gate):
    crowded, later = gate.ask("1"), gate.clock() + timedelta(minutes=1)
    with gate.database.write() as session:
        for subject in "abcdef":
            jobs.add(session, Kind.NOTE, subject, crowded, gate.clock())
    others = {gate.receive("2"), gate.receive("3")}
    with gate.database.read() as session:
        assert wakes.overdue(session, later, 3) == {crowded, *others}
        assert len(wakes.overdue(session, later, 2)) == 2


def test_all_that_is_unfinished_can_be_told(gate):
    gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    open_, undelivered = gate.ask("2"), gate.ask("3")
    gate.platform.broken["release"] = PlatformError("busy")
    gate.press(BEA, Action.ACCEPT, "3")
    gate.work()
    with gate.database.read() as session:
        assert wakes.unfinished(session) == {open_, undelivered}


def test_what_is_taken_back_leaves_one(outside):
    request_id = outside.receive("1")
    hand_over(outside)
    with outside.database.write() as session:
        assert jobs.drop(session, Kind.CONSIDER, request_id, outside.clock())
    assert owners(outside) == [request_id]


def test_what_waits_for_days_belongs_to_its_request(outside):
    request_id = outside.receive("1")
    hand_over(outside)
    with outside.database.write() as session:
        jobs.add(session, Kind.LAPSE, request_id, request_id, outside.clock())
    assert owners(outside) == [request_id]

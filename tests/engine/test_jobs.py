"""Running jobs: act, record; whatever is cut off in between is done again."""

from contextlib import suppress
from datetime import timedelta

import pytest

from approval.failures import Failure
from approval.gate import nothing
from approval.model import Action, Delivery
from approval.platforms import PlatformError
from approval.store import jobs, leases, trail
from approval.store.database import StoreDown
from approval.store.jobs import Kind, Lane
from approval.store.leases import LEASE
from tests.fakes import ANA, BEA, MAX, NOW, unreachable


class PowerCut(BaseException):
    """The process ends here."""


@pytest.fixture
def decided(gate):
    """Task 1 was accepted and its release waits; returns the request's id."""
    request_id = gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1")
    return request_id


def cut_off(gate, kind):
    """Let the process end after the next job of a kind has acted, before it is recorded."""
    handler = gate.handlers[kind]

    def acts_and_ends(job, now):
        gate.handlers[kind] = handler
        handler(job, now)
        raise PowerCut

    gate.handlers[kind] = acts_and_ends


def restart(gate):
    """A new process: whoever held leases is gone."""
    with gate.database.write() as session:
        return leases.hand_back(session, gate.clock())


def test_a_job_is_done_once_and_then_gone(gate, decided):
    assert gate.jobs.run_next(Lane.RELEASE) is True
    assert gate.jobs.run_next(Lane.RELEASE) is False
    assert gate.platform.told == [("1", Action.ACCEPT)]
    assert gate.jobs.next_due(Lane.RELEASE) is None


def test_a_job_that_is_not_due_is_left_alone(gate, decided):
    gate.platform.broken["release"] = PlatformError("busy", retry_after=timedelta(minutes=1))
    gate.jobs.run_next(Lane.RELEASE)
    gate.clock.now += timedelta(seconds=59)
    assert gate.jobs.run_next(Lane.RELEASE) is False
    gate.clock.now += timedelta(seconds=1)
    assert gate.jobs.run_next(Lane.RELEASE) is True


def test_the_longest_due_job_runs_first(gate):
    ran = []
    gate.handlers[Kind.ALERT] = lambda job, now: ran.append(job.subject) or nothing
    with gate.database.write() as session:
        for subject, minutes in [("second", -2), ("third", -1), ("first", -3), ("later", 1)]:
            due = gate.clock() + timedelta(minutes=minutes)
            jobs.add(session, Kind.ALERT, subject, None, gate.clock(), due)
    gate.work()
    assert ran == ["first", "second", "third"]


def test_lanes_do_not_wait_for_each_other(gate):
    gate.platform.broken["look"] = unreachable()
    gate.receive("2")
    gate.jobs.run_next(Lane.CONSIDER)
    gate.platform.broken.clear()
    gate.ask("1")
    assert len(gate.mails.to(BEA)) == 1


# Cut off between act and record.


def test_a_release_that_was_cut_off_before_its_record_is_not_posted_twice(gate, decided):
    cut_off(gate, Kind.RELEASE)
    with pytest.raises(PowerCut):
        gate.work()
    assert gate.platform.told == [("1", Action.ACCEPT)]
    assert gate.task().delivery is Delivery.WAITING
    assert restart(gate) == 1
    gate.work()
    assert gate.platform.told == [("1", Action.ACCEPT)]
    assert gate.task().delivery is Delivery.DELIVERED


def test_a_release_of_which_no_trace_is_found_is_posted_again_with_the_same_key(gate, decided):
    gate.platform.errors["release"] = [PowerCut()]
    with pytest.raises(PowerCut):
        gate.work()
    restart(gate)
    gate.work()
    first, second = gate.platform.posts
    assert first == second
    assert gate.task().delivery is Delivery.DELIVERED


def test_the_first_failure_that_is_known_is_an_event_though_an_attempt_before_it_was_cut_off(
    gate, decided
):
    cut_off(gate, Kind.RELEASE)
    with suppress(PowerCut):
        gate.jobs.run_next(Lane.RELEASE)
    restart(gate)
    gate.platform.broken["look"] = PlatformError("busy")
    gate.pass_time(minutes=5)
    assert gate.kinds(decided).count("failed") == 1


@pytest.mark.parametrize("kind", [Kind.OUTCOME, Kind.NOTE])
def test_a_mail_that_was_cut_off_before_its_record_is_sent_again_with_the_same_id(
    gate, decided, kind
):
    cut_off(gate, kind)
    with pytest.raises(PowerCut):
        gate.work()
    restart(gate)
    gate.work()
    person = ANA if kind is Kind.OUTCOME else MAX
    first, second = gate.mails.to(person)[-2:]
    assert first["Message-ID"] == second["Message-ID"]


def test_a_request_that_was_cut_off_while_it_was_considered_is_asked_about_once(gate):
    request_id = gate.receive("1")
    cut_off(gate, Kind.CONSIDER)
    with pytest.raises(PowerCut):
        gate.work()
    restart(gate)
    gate.work()
    assert gate.kinds(request_id) == ["received", "verified", "asked", "mailed", "mailed"]


def test_without_a_restart_the_lease_runs_out_by_itself(gate, decided):
    cut_off(gate, Kind.RELEASE)
    with pytest.raises(PowerCut):
        gate.work()
    gate.clock.now += LEASE - timedelta(seconds=1)
    gate.work()
    assert gate.task().delivery is Delivery.WAITING
    gate.clock.now += timedelta(seconds=1)
    gate.work()
    assert gate.task().delivery is Delivery.DELIVERED


# The store is down.


def run_against(gate, times=1):
    """Run what is due while the store is down."""
    for _ in range(times):
        with pytest.raises(StoreDown):
            gate.jobs.run_next(Lane.RELEASE)


def test_what_was_done_while_the_store_was_locked_is_recorded_as_soon_as_it_is_not(
    gate, lock, decided
):
    lock.after(gate, Kind.RELEASE)
    run_against(gate, times=3)
    lock.open()
    gate.jobs.run_next(Lane.CONSIDER)  # whoever comes first
    assert gate.task().delivery is Delivery.DELIVERED
    gate.pass_time(hours=1)
    assert gate.platform.calls.count("release 1") == 1
    assert gate.kinds(decided).count("delivered") == 1


def test_what_failed_while_the_store_was_locked_is_tried_again_in_time(gate, lock, decided):
    gate.platform.errors["release"] = [unreachable()]
    lock.after(gate, Kind.RELEASE)
    run_against(gate, times=2)
    lock.open()
    gate.jobs.run_next(Lane.RELEASE)
    assert "failed" in gate.kinds(decided)
    gate.pass_time(seconds=1)
    assert gate.task().delivery is Delivery.DELIVERED


def test_what_was_done_is_void_when_the_store_was_locked_for_longer_than_the_lease(
    gate, lock, decided
):
    lock.after(gate, Kind.RELEASE)
    run_against(gate)
    lock.open()
    gate.clock.now += LEASE
    assert gate.worker().run_next(Lane.RELEASE)
    gate.work()
    assert gate.kinds(decided).count("delivered") == 1
    assert gate.platform.calls.count("release 1") == 1


def test_a_record_that_breaks_when_the_store_is_back_is_tried_again(gate, lock, decided):
    handler = gate.handlers[Kind.RELEASE]
    gate.handlers[Kind.RELEASE] = lambda job, now: broken_record
    lock.after(gate, Kind.RELEASE)
    run_against(gate)
    lock.open()
    gate.handlers[Kind.RELEASE] = handler
    gate.jobs.run_next(Lane.MAIL)
    assert "failed" in gate.kinds(decided)
    gate.pass_time(seconds=1)
    assert gate.task().delivery is Delivery.DELIVERED


def test_a_job_that_could_not_be_begun_is_tried_again_in_time(gate, decided):
    def store_down(job, now):
        raise StoreDown("disk I/O error")

    handler, gate.handlers[Kind.RELEASE] = gate.handlers[Kind.RELEASE], store_down
    assert gate.jobs.run_next(Lane.RELEASE)
    gate.handlers[Kind.RELEASE] = handler
    gate.pass_time(seconds=1)
    assert gate.task().delivery is Delivery.DELIVERED


# Leases.


def test_what_was_done_under_a_lost_lease_is_not_recorded(gate, decided):
    other = gate.worker()
    handler = gate.handlers[Kind.RELEASE]

    def slow(job, now):
        gate.handlers[Kind.RELEASE] = handler
        record = handler(job, now)
        gate.clock.now += LEASE
        assert other.run_next(Lane.RELEASE)
        return record

    gate.handlers[Kind.RELEASE] = slow
    gate.work()
    assert gate.kinds(decided).count("delivered") == 1
    assert gate.platform.told == [("1", Action.ACCEPT)]


def test_a_failure_under_a_lost_lease_postpones_nothing(gate, decided):
    other = gate.worker()
    handler = gate.handlers[Kind.RELEASE]

    def slow(job, now):
        gate.handlers[Kind.RELEASE] = handler
        gate.clock.now += LEASE
        assert other.run_next(Lane.RELEASE)
        raise Failure("too late", permanent=True)

    gate.handlers[Kind.RELEASE] = slow
    gate.work()
    assert gate.task().delivery is Delivery.DELIVERED
    assert {"failed", "parked"}.isdisjoint(gate.kinds(decided))


def test_a_job_that_was_renewed_while_it_ran_runs_again_under_a_new_key(gate):
    keys = []

    def renews_once(job, now):
        keys.append(job.key)
        if len(keys) == 1:
            with gate.database.write() as session:
                jobs.add(session, Kind.ALERT, "disk", None, now)
        return nothing

    gate.handlers[Kind.ALERT] = renews_once
    with gate.database.write() as session:
        jobs.add(session, Kind.ALERT, "disk", None, gate.clock())
    gate.work()
    assert len(keys) == len(set(keys)) == 2


def test_a_renewed_job_whose_run_was_given_up_runs_again_all_the_same(gate):
    keys = []

    def renewed_and_refused(job, now):
        keys.append(job.key)
        if len(keys) > 1:
            return nothing
        with gate.database.write() as session:
            jobs.add(session, Kind.ALERT, "disk", None, now)
        raise Failure("no", permanent=True)

    gate.handlers[Kind.ALERT] = renewed_and_refused
    with gate.database.write() as session:
        jobs.add(session, Kind.ALERT, "disk", None, gate.clock())
    gate.work()
    assert len(keys) == 2


# Bugs of ours.


class Bug(Exception):
    """Something that nobody thought of."""


def test_an_unexpected_error_of_a_handler_is_an_event_and_tried_again(gate, decided):
    gate.platform.errors["release"] = [Bug("what?")]
    gate.work()
    assert gate.task().delivery is Delivery.WAITING
    gate.pass_time(seconds=1)
    assert gate.task().delivery is Delivery.DELIVERED
    assert "failed" in gate.kinds(decided)


def broken_record(session, now):
    raise Bug("what?")


def test_an_unexpected_error_of_a_record_is_an_event_and_tried_again(gate, decided):
    handler = gate.handlers[Kind.RELEASE]

    def breaks_once(job, now):
        gate.handlers[Kind.RELEASE] = handler
        handler(job, now)
        return broken_record

    gate.handlers[Kind.RELEASE] = breaks_once
    gate.jobs.run_next(Lane.RELEASE)
    gate.pass_time(seconds=1)
    assert gate.task().delivery is Delivery.DELIVERED
    assert "failed" in gate.kinds(decided)


def test_a_record_that_breaks_half_way_leaves_nothing(gate, decided):
    def half(session, now):
        trail.record(session, decided, "half", "", now)
        raise Bug("what?")

    gate.handlers[Kind.RELEASE] = lambda job, now: half
    with suppress(Bug):
        gate.jobs.run_next(Lane.RELEASE)
    assert "half" not in gate.kinds(decided)


def test_a_job_that_always_breaks_is_given_up_and_waits_for_the_operator(gate, decided):
    gate.platform.broken["release"] = Bug("what?")
    gate.pass_time(hours=5)
    assert gate.task().delivery is Delivery.FAILED
    assert "Bug: what?" in gate.task().delivery_note


# The end of one job, and the next.


@pytest.fixture
def two(gate):
    """Tasks 1 and 2 were accepted, one after the other, and wait to be released."""
    gate.ask("1", "2")
    for task in ("1", "2"):
        gate.clock.now += timedelta(seconds=1)
        gate.press(BEA, Action.ACCEPT, task)


def told(gate):
    return [task for task, _ in gate.platform.told]


def test_jobs_run_one_after_the_other_until_none_is_due(gate, two):
    assert gate.jobs.run(Lane.RELEASE) is True
    assert told(gate) == ["1", "2"]
    assert gate.jobs.run(Lane.RELEASE) is False


def test_who_is_not_to_go_on_takes_no_other_job(gate, two):
    assert gate.jobs.run(Lane.RELEASE, go_on=lambda: False) is True
    assert told(gate) == ["1"]
    assert gate.worker().run(Lane.RELEASE) is True
    assert told(gate) == ["1", "2"]


def test_what_is_taken_with_the_end_of_another_job_is_held(gate, two):
    handler, given_back = gate.handlers[Kind.RELEASE], []

    def gives_back(job, now):
        given_back.append(gate.jobs.hand_back())
        return handler(job, now)

    def first(job, now):
        gate.handlers[Kind.RELEASE] = gives_back
        return handler(job, now)

    gate.handlers[Kind.RELEASE] = first
    gate.jobs.run(Lane.RELEASE)
    assert given_back == [1]


def test_nothing_is_taken_while_the_end_of_a_job_cannot_be_recorded(gate, lock, two):
    lock.after(gate, Kind.RELEASE)
    with pytest.raises(StoreDown):
        gate.jobs.run(Lane.RELEASE)
    lock.open()
    assert gate.worker().run(Lane.RELEASE) is True
    assert told(gate) == ["1", "2"]
    assert gate.task("1").delivery is Delivery.WAITING
    gate.jobs.catch_up()
    assert gate.task("1").delivery is Delivery.DELIVERED
    assert gate.platform.calls.count("release 1") == 1


def test_nothing_is_taken_with_the_end_of_a_job_that_somebody_else_had_meanwhile(gate, two):
    handler, other = gate.handlers[Kind.RELEASE], gate.worker()

    def slow(job, now):
        gate.handlers[Kind.RELEASE] = handler
        gate.clock.now += LEASE
        assert other.run(Lane.RELEASE)
        return handler(job, now)

    gate.handlers[Kind.RELEASE] = slow
    assert gate.jobs.run(Lane.RELEASE) is True
    assert sorted(told(gate)) == ["1", "2"]
    assert gate.jobs.hand_back() == 0


def test_a_job_that_cannot_be_taken_does_not_undo_the_end_of_another(gate, two, monkeypatch):
    claim, claims = leases.claim, []

    def breaks_later(*args):
        claims.append(args)
        if len(claims) > 1:
            raise Bug("a row that cannot be read")
        return claim(*args)

    monkeypatch.setattr(leases, "claim", breaks_later)
    assert gate.jobs.run(Lane.RELEASE) is True
    assert told(gate) == ["1"]
    assert gate.task("1").delivery is Delivery.DELIVERED
    assert gate.jobs.hand_back() == 0


# All of one request, as other engines run them.


def test_running_what_is_due_drains_one_request_and_leaves_the_others(gate):
    first, second = gate.receive("1"), gate.receive("2")
    assert gate.jobs.run_due(first) is None
    assert gate.kinds(first) == ["received", "verified", "asked", "mailed", "mailed"]
    assert gate.kinds(second) == ["received"]


def test_running_what_is_due_says_when_the_next_is_due(gate):
    request_id = gate.ask("1", "2")
    gate.press(BEA, Action.ACCEPT, "1")
    assert gate.jobs.run_due(request_id) == NOW + timedelta(minutes=2)
    assert gate.platform.told == [("1", Action.ACCEPT)]
    gate.clock.now += timedelta(minutes=2)
    assert gate.jobs.run_due(request_id) is None
    assert len(gate.mails.to(ANA)) == 1


def test_running_what_is_due_says_when_a_failed_job_is_due_again(gate):
    gate.platform.broken["look"] = PlatformError("busy", retry_after=timedelta(seconds=90))
    request_id = gate.receive("1")
    assert gate.jobs.run_due(request_id) == NOW + timedelta(seconds=90)


def test_running_what_is_due_is_not_held_up_by_a_parked_job(gate):
    gate.platform.broken["look"] = PlatformError("never", permanent=True)
    request_id = gate.receive("1")
    assert gate.jobs.run_due(request_id) is None

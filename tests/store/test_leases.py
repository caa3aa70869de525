"""Jobs and leases: a promise is kept by one at a time, until it is done."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from approval.store import jobs, leases
from approval.store.jobs import Kind, Lane
from approval.store.leases import LEASE
from tests.fakes import NOW
from tests.store.values import insert_in, on_disk

SECOND = timedelta(seconds=1)


class Promises:
    """Jobs of the mail lane by their subject, each step one transaction."""

    def __init__(self, database):
        self.database = database

    def add(self, subject="disk", now=NOW, due=None, kind=Kind.ALERT, request_id=None):
        with self.database.write() as session:
            jobs.add(session, kind, subject, request_id, now, due)

    def claim(self, now=NOW, lane=Lane.MAIL, request_id=None):
        with self.database.write() as session:
            return leases.claim(session, lane, now, request_id)

    def finish(self, job, now=NOW):
        with self.database.write() as session:
            return leases.finish(session, job, now)

    def postpone(self, job, due=NOW, error="no"):
        with self.database.write() as session:
            return leases.postpone(session, job, due, error)

    def park(self, job, now=NOW, error="no"):
        with self.database.write() as session:
            return leases.park(session, job, now, error)

    def hand_back(self, now=NOW):
        with self.database.write() as session:
            return leases.hand_back(session, now)

    def take_up(self, *subjects, kinds=tuple(Kind), now=NOW):
        with self.database.write() as session:
            rows = jobs.take_up(session, kinds, subjects or None, now)
            return [row.subject for row in rows]

    def next_due(self, lane=Lane.MAIL):
        with self.database.read() as session:
            return leases.next_due(session, lane)

    def backlog(self):
        with self.database.read() as session:
            return [(entry.waiting, entry.parked) for entry in jobs.backlog(session)]


@pytest.fixture
def promises(database):
    return Promises(database)


def test_a_job_is_claimed_with_what_was_promised(promises, database):
    request_id = insert_in(database, "1")
    promises.add("7", kind=Kind.NOTE, request_id=request_id)
    job = promises.claim(NOW + SECOND)
    assert (job.kind, job.subject, job.request_id) == ("note", "7", request_id)
    assert (job.attempts, job.run, job.made_at) == (1, 0, NOW)


def test_nothing_is_claimed_where_nothing_is_promised(promises):
    assert promises.claim() is None
    assert promises.next_due() is None


def test_a_job_is_claimed_in_its_lane_only(promises):
    promises.add(kind=Kind.ALERT)
    assert promises.claim(lane=Lane.RELEASE) is None
    assert promises.claim(lane=Lane.MAIL) is not None


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_job_has_a_lane_in_which_it_is_found(promises, kind):
    promises.add("1", kind=kind)
    [job] = filter(None, [promises.claim(lane=lane) for lane in Lane])
    assert job.kind == kind


def test_jobs_of_one_request_can_be_claimed_alone(promises, database):
    first, second = insert_in(database, "1"), insert_in(database, "2")
    promises.add("1", kind=Kind.NOTE, request_id=first)
    promises.add("2", kind=Kind.NOTE, request_id=second)
    assert promises.claim(request_id=second).subject == "2"
    assert promises.claim(request_id=second) is None


def test_the_longest_due_job_is_claimed_first(promises):
    for subject, seconds in [("second", 2), ("first", 1), ("third", 3)]:
        promises.add(subject, due=NOW - timedelta(seconds=10 - seconds))
    assert [promises.claim().subject for _ in range(3)] == ["first", "second", "third"]


def test_what_is_claimed_is_nobody_elses_until_the_lease_runs_out(promises):
    promises.add()
    first = promises.claim()
    assert promises.claim(NOW + LEASE - SECOND) is None
    second = promises.claim(NOW + LEASE)
    assert (second.id, second.attempts) == (first.id, 2)
    assert second.lease != first.lease
    assert second.key == first.key


def test_many_threads_claim_each_job_once(promises):
    for number in range(60):
        promises.add(str(number))
    start = Barrier(12)

    def claim_all(_):
        start.wait()
        return list(iter(promises.claim, None))

    with ThreadPoolExecutor(12) as threads:
        claimed = [job for found in threads.map(claim_all, range(12)) for job in found]
    assert sorted(job.subject for job in claimed) == sorted(map(str, range(60)))
    assert len({job.lease for job in claimed}) == 60


def test_one_job_that_many_threads_want_is_claimed_once(promises):
    promises.add()
    start = Barrier(20)

    def claim(_):
        start.wait()
        return promises.claim()

    with ThreadPoolExecutor(20) as threads:
        assert sum(job is not None for job in threads.map(claim, range(20))) == 1


# The holder of the lease, and nobody else.


def test_a_finished_job_is_gone(promises):
    promises.add()
    assert promises.finish(promises.claim()) is True
    assert promises.claim(NOW + 2 * LEASE) is None
    assert promises.backlog() == []


def test_a_postponed_job_comes_back_when_it_is_due(promises):
    promises.add()
    assert promises.postpone(promises.claim(), NOW + SECOND) is True
    assert promises.claim() is None
    assert promises.next_due() == NOW + SECOND
    assert promises.claim(NOW + SECOND).attempts == 2


def test_a_parked_job_does_not_come_back(promises):
    promises.add()
    assert promises.park(promises.claim()) is True
    assert promises.claim(NOW + timedelta(days=365)) is None
    assert promises.next_due() is None
    assert promises.backlog() == [(0, 1)]


def test_why_a_job_did_not_work_is_kept(promises, store):
    promises.add()
    promises.park(promises.claim(), error="550 <no>")
    assert on_disk(store, "SELECT error FROM jobs") == ["550 <no>"]


@pytest.mark.parametrize("write", ["finish", "postpone", "park"])
def test_only_the_holder_of_the_lease_may_write(promises, write):
    promises.add()
    late = promises.claim()
    holder = promises.claim(NOW + LEASE)
    assert getattr(promises, write)(late) is False
    assert promises.next_due() == NOW + 2 * LEASE
    assert promises.finish(holder) is True


@pytest.mark.parametrize("write", ["finish", "postpone", "park"])
@pytest.mark.parametrize("end", ["finish", "postpone", "park"])
def test_a_lease_ends_with_the_first_thing_that_its_holder_writes(promises, end, write):
    promises.add()
    job = promises.claim()
    assert getattr(promises, end)(job) is True
    assert getattr(promises, write)(job) is False


# Promised again.


def test_what_is_promised_twice_is_done_once(promises):
    promises.add()
    promises.add()
    promises.finish(promises.claim())
    assert promises.claim() is None


def test_the_same_subject_of_another_kind_is_another_job(promises):
    promises.add("1", kind=Kind.ASK)
    promises.add("1", kind=Kind.NOTE)
    assert {promises.claim().kind, promises.claim().kind} == {"ask", "note"}


def test_of_two_times_a_renewed_promise_is_due_at_the_sooner_one(promises):
    promises.add(due=NOW)
    promises.add(due=NOW + SECOND)
    assert promises.next_due() == NOW
    promises.add(due=NOW)
    assert promises.next_due() == NOW


def test_a_promise_that_is_renewed_is_as_young_as_a_new_one(promises):
    promises.add()
    promises.postpone(promises.claim())
    promises.add(now=NOW + SECOND)
    job = promises.claim(NOW + SECOND)
    assert (job.attempts, job.made_at) == (1, NOW + SECOND)


def test_a_job_that_was_renewed_while_it_ran_is_due_again_at_once_under_a_new_key(promises):
    promises.add()
    first = promises.claim()
    promises.add(due=NOW + timedelta(minutes=2))
    assert promises.claim() is None
    assert promises.finish(first) is True
    second = promises.claim()
    assert (second.id, second.attempts) == (first.id, 1)
    assert second.key != first.key
    promises.finish(second)
    assert promises.claim() is None


def test_a_parked_job_that_is_promised_again_is_due_again(promises):
    promises.add()
    first = promises.claim()
    promises.park(first)
    promises.add()
    assert promises.claim().key != first.key


# After a restart, and for the operator.


def test_what_was_held_when_the_process_ended_is_due_at_once(promises):
    for subject in ("one", "two", "free"):
        promises.add(subject)
    held = [promises.claim(), promises.claim()]
    assert promises.hand_back() == 2
    assert sorted(promises.claim().subject for _ in range(3)) == ["free", "one", "two"]
    assert [promises.finish(job) for job in held] == [False, False]


def test_handing_back_leaves_what_is_postponed_or_parked(promises):
    promises.add("postponed")
    promises.postpone(promises.claim(), NOW + SECOND)
    promises.add("parked")
    promises.park(promises.claim())
    assert promises.hand_back() == 0
    assert promises.claim() is None


def test_what_is_taken_up_is_due_at_once_as_if_new_and_under_a_new_key(promises):
    promises.add()
    parked = promises.claim()
    promises.park(parked)
    later = NOW + timedelta(days=5)
    assert promises.take_up(now=later) == ["disk"]
    job = promises.claim(later)
    assert (job.attempts, job.made_at) == (1, later)
    assert job.key != parked.key


def test_only_what_is_parked_is_taken_up(promises):
    promises.add("waits")
    promises.add("runs", due=NOW - SECOND)
    promises.claim()
    assert promises.take_up() == []


@pytest.mark.parametrize(
    ("kinds", "subjects", "taken"),
    [
        ([Kind.ALERT], [], ["1", "2"]),
        ([Kind.ALERT], ["2"], ["2"]),
        ([Kind.ALERT], ["3"], []),
        ([Kind.RELEASE], [], []),
        ([Kind.RELEASE, Kind.ALERT], ["1", "2"], ["1", "2"]),
    ],
)
def test_jobs_are_taken_up_by_kind_and_subject(promises, kinds, subjects, taken):
    for subject in ("1", "2"):
        promises.add(subject)
        promises.park(promises.claim())
    assert promises.take_up(*subjects, kinds=kinds) == taken


def test_taking_up_wakes_the_lanes_of_what_was_taken_up(promises, database):
    promises.add()
    promises.park(promises.claim())
    woken = []
    database.wake = woken.extend
    promises.take_up()
    assert woken == [Lane.MAIL]


def test_the_backlog_tells_how_much_waits_since_when_and_how_much_is_parked(promises, database):
    promises.add("parked", now=NOW - timedelta(days=1))
    promises.park(promises.claim())
    promises.add("old", now=NOW - timedelta(hours=1))
    promises.add("new")
    with database.read() as session:
        [entry] = jobs.backlog(session)
    assert (entry.kind, entry.waiting, entry.parked) == ("alert", 2, 1)
    assert entry.oldest == NOW - timedelta(hours=1)

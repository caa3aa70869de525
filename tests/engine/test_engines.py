"""What every engine does: with real threads, on a real file, and with a real Temporal."""

import threading
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from approval.gate import nothing
from approval.model import Action, Delivery
from approval.store import jobs, pending
from approval.store.database import StoreDown
from approval.store.jobs import Kind, Lane
from tests.conftest import wait_until
from tests.engine.conftest import PATIENCE
from tests.fakes import ANA, BEA, MAX


class Undone(Exception):
    """The use case is not to be."""


def promise(gate, *subjects):
    with gate.database.write() as session:
        for subject in subjects:
            jobs.add(session, Kind.ALERT, subject, None, gate.clock())


def left(gate):
    """How many of the promised jobs are not done."""
    with gate.database.read() as session:
        return sum(each.waiting for each in jobs.backlog(session) if each.kind == Kind.ALERT)


def test_it_is_woken_by_the_commit_that_made_a_job(gate, engine):
    request_id = gate.receive("1")
    wait_until(lambda: gate.kinds(request_id).count("mailed") == 2)
    gate.press(BEA, Action.ACCEPT, "1")
    wait_until(lambda: gate.task().delivery is Delivery.DELIVERED)
    wait_until(lambda: gate.kinds(request_id).count("told") == 2)
    assert sorted(gate.mails.recipients) == sorted(
        [BEA.address, MAX.address, MAX.address, ANA.address]
    )


def test_it_runs_what_waited_before_it_started(gate, make_engine):
    request_id = gate.receive("1")
    engine = make_engine(1)
    engine.start()
    wait_until(
        lambda: gate.kinds(request_id) == ["received", "verified", "asked", "mailed", "mailed"]
    )
    assert engine.stop(PATIENCE)


def test_what_nobody_has_decided_in_time_is_declined(gate, engine):
    request_id = gate.receive("1")
    wait_until(lambda: gate.kinds(request_id).count("mailed") == 2)
    with gate.database.write() as session:
        pending.decline_at(session, request_id, gate.clock())
        jobs.add(session, Kind.LAPSE, request_id, request_id, gate.clock())
    wait_until(lambda: gate.platform.told == [("1", Action.DECLINE)])


def test_every_one_of_many_jobs_is_done_once(gate, engine):
    done = []
    gate.handlers[Kind.ALERT] = lambda job, now: done.append(job.subject) or nothing
    subjects = [str(number) for number in range(60)]
    threads = [
        threading.Thread(target=promise, args=(gate, *subjects[start::6])) for start in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: left(gate) == 0)
    assert sorted(done) == sorted(subjects)


def test_a_lane_that_hangs_holds_up_no_other(gate, engine):
    go_on, hanging = threading.Event(), threading.Semaphore(0)

    def hang(job, now):
        hanging.release()
        go_on.wait(PATIENCE)
        return nothing

    gate.handlers[Kind.ASK] = hang
    gate.receive("1")
    gate.receive("2")
    for _ in range(2):
        assert hanging.acquire(timeout=PATIENCE)
    gate.receive("3")
    gate.press(None, Action.ACCEPT, "3")
    wait_until(lambda: gate.task("3").delivery is Delivery.DELIVERED)
    go_on.set()


def test_stopping_finishes_what_runs_and_leaves_what_waits(gate, make_engine):
    runs, go_on = threading.Event(), threading.Event()

    def slow(job, now):
        runs.set()
        go_on.wait(PATIENCE)
        return nothing

    gate.handlers[Kind.ALERT] = slow
    promise(gate, "one", "two")
    engine = make_engine(1)
    engine.start()
    assert runs.wait(PATIENCE)
    assert engine.stop(0) is False
    go_on.set()
    assert engine.stop(PATIENCE) is True
    assert left(gate) == 1


def test_a_stopped_engine_is_not_alive_and_starts_nothing(gate, make_engine):
    engine = make_engine(1)
    engine.start()
    assert engine.alive
    assert engine.stop(PATIENCE)
    assert not engine.alive
    promise(gate, "one")
    assert left(gate) == 1


@pytest.mark.parametrize("error", [StoreDown("disk I/O error"), RuntimeError("a bug")], ids=str)
def test_it_survives_what_goes_wrong(gate, engine, error):
    broken = threading.Event()

    def breaks(job, now):
        broken.set()
        raise error

    gate.handlers[Kind.ALERT] = breaks
    promise(gate, "one")
    assert broken.wait(PATIENCE)
    gate.handlers[Kind.ALERT] = lambda job, now: nothing
    promise(gate, "two")
    wait_until(lambda: left(gate) == 1)
    assert engine.alive


def test_it_survives_a_record_that_goes_wrong(gate, engine, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda args: None)  # pytest's would complain
    broken = threading.Event()

    def break_(session, now):
        broken.set()
        raise RuntimeError("a bug")

    gate.handlers[Kind.ALERT] = lambda job, now: break_
    promise(gate, "one")
    assert broken.wait(PATIENCE)
    gate.handlers[Kind.ALERT] = lambda job, now: nothing
    promise(gate, "two")
    wait_until(lambda: left(gate) == 1)
    assert engine.alive


def test_it_knows_only_jobs_that_are_on_the_disk(gate, engine):
    ran = []
    gate.handlers[Kind.ALERT] = lambda job, now: ran.append(job.subject) or nothing
    with suppress(Undone), gate.database.write() as session:
        jobs.add(session, Kind.ALERT, "undone", None, gate.clock())
        raise Undone
    promise(gate, "done")
    wait_until(lambda: left(gate) == 0)
    assert ran == ["done"]


def test_a_job_for_each_lane_wakes_each_lane(gate):
    woken = []
    gate.database.wake = woken.extend
    with gate.database.write() as session:
        for kind in (Kind.RELEASE, Kind.CONSIDER, Kind.ASK):
            jobs.add(session, kind, "1", None, gate.clock())
    assert woken == [Lane.RELEASE, Lane.CONSIDER, Lane.MAIL]


@pytest.fixture
def logged():
    """What is logged."""
    with capture_logs() as entries:
        yield entries


def test_what_was_done_while_the_store_was_locked_is_recorded_without_another_nudge(
    gate, lock, engine, logged
):
    request_id = gate.receive("1")
    wait_until(lambda: gate.kinds(request_id).count("mailed") == 2)
    lock.after(gate, Kind.RELEASE)
    gate.press(BEA, Action.ACCEPT, "1")
    wait_until(lambda: "store down" in {entry["event"] for entry in logged})
    lock.open()
    wait_until(lambda: gate.task().delivery is Delivery.DELIVERED)
    assert gate.platform.told == [("1", Action.ACCEPT)]
    assert engine.alive

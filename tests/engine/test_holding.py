"""What several processes owe each other: leases that are kept, lost and given back."""

import threading
from datetime import timedelta

import pytest
from prometheus_client import Counter

from approval.engine.holding import Heartbeat, Holding
from approval.engine.jobs import Jobs
from approval.gate import nothing
from approval.model import Action, Delivery
from approval.store import leases
from approval.store.jobs import Lane
from tests.conftest import wait_until
from tests.fakes import BEA
from tests.gate.faked import GIVE_UP_AFTER

pytestmark = pytest.mark.only_on("postgresql")
PATIENCE = 20.0


@pytest.fixture
def process(gate):
    """Something that runs the gate's jobs as a process does; holds them for `seconds`."""

    def process(seconds):
        holding = Holding(gate.database, lambda: None, timedelta(seconds=seconds))
        counter = Counter("jobs", "Jobs run.", ["kind", "end"], registry=None)
        jobs = Jobs(
            gate.database, gate.handlers, GIVE_UP_AFTER, gate.clock, counter, holding=holding
        )
        return jobs, holding

    return process


@pytest.fixture
def decided(gate):
    """Task 1 was accepted and its release waits; returns the request's id."""
    gate.clock.now = gate.clock.now.replace(year=2020)  # long before the database's own time
    request_id = gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1")
    return request_id


def slow(gate, kind="release"):
    """Let the next job of a kind begin, and end when it is told to."""
    handler, begun, go_on = gate.handlers[kind], threading.Event(), threading.Event()

    def slowly(job, now):
        gate.handlers[kind] = handler
        record = handler(job, now)
        begun.set()
        assert go_on.wait(PATIENCE)
        return record

    gate.handlers[kind] = slowly
    return begun, go_on


def database_time(gate):
    with gate.database.read() as session:
        return leases.now(session)


def test_a_heartbeat_keeps_what_takes_longer_than_a_lease(gate, decided, process):
    jobs, holding = process(3)
    begun, go_on = slow(gate)
    heartbeat = Heartbeat(holding)
    heartbeat.start()
    thread = threading.Thread(target=jobs.run_next, args=(Lane.RELEASE,))
    thread.start()
    assert begun.wait(PATIENCE)
    first = gate.next_due(Lane.RELEASE)
    wait_until(lambda: database_time(gate) > first)
    assert process(3)[0].run_next(Lane.RELEASE) is False
    go_on.set()
    thread.join()
    heartbeat.stop()
    assert gate.task().delivery is Delivery.DELIVERED


def test_what_a_dead_process_held_is_done_by_another_and_the_dead_one_records_nothing(
    gate, decided, process
):
    jobs, _ = process(0)  # nobody keeps it
    begun, go_on = slow(gate)
    thread = threading.Thread(target=jobs.run_next, args=(Lane.RELEASE,))
    thread.start()
    assert begun.wait(PATIENCE)
    assert process(30)[0].run_next(Lane.RELEASE) is True
    go_on.set()
    thread.join()
    assert gate.platform.told == [("1", Action.ACCEPT)]
    assert gate.kinds(decided).count("delivered") == 1


def test_who_ends_lets_others_have_what_they_did_not_finish(gate, decided, process):
    jobs, _ = process(30)
    begun, go_on = slow(gate)
    thread = threading.Thread(target=jobs.run_next, args=(Lane.RELEASE,))
    thread.start()
    assert begun.wait(PATIENCE)
    assert process(30)[0].run_next(Lane.RELEASE) is False
    assert jobs.hand_back() == 1
    assert process(30)[0].run_next(Lane.RELEASE) is True
    go_on.set()
    thread.join()
    assert gate.kinds(decided).count("delivered") == 1


def test_what_is_done_is_not_held_any_more(gate, decided, process):
    jobs, _ = process(30)
    while jobs.run_next(Lane.RELEASE):
        pass
    assert jobs.hand_back() == 0


@pytest.mark.parametrize("ends", ["breaks", "is lost"])
def test_what_ends_in_another_way_is_not_held_for_ever(gate, decided, process, ends):
    jobs, _ = process(30 if ends == "breaks" else 0)

    def record(session, now):
        raise RuntimeError("a bug")

    gate.handlers["release"] = lambda job, now: record if ends == "breaks" else nothing
    if ends == "is lost":
        begun, go_on = slow(gate)
        thread = threading.Thread(target=jobs.run_next, args=(Lane.RELEASE,))
        thread.start()
        assert begun.wait(PATIENCE)
        process(30)[0].run_next(Lane.RELEASE)
        go_on.set()
        thread.join()
    else:
        jobs.run_next(Lane.RELEASE)
    assert jobs.hand_back() == 0

"""Whose clock counts where processes share a store: the store's, however a host's clock goes."""

from datetime import timedelta

import pytest

from approval.engine.holding import Holding
from approval.engine.temporal.activities import Activities
from approval.gate import nothing
from approval.store import jobs, leases, owners
from approval.store.jobs import Kind, Lane

pytestmark = pytest.mark.only_on("postgresql")
HOUR = timedelta(hours=1)


@pytest.fixture(params=[HOUR, -HOUR], ids=["ahead", "behind"])
def apart(request, gate):
    """How far the host's clock is from the store's; the gate's jobs go by the store's."""
    with gate.database.read() as session:
        gate.clock.now = leases.now(session) + request.param
    gate.jobs = gate.worker(holding(gate))
    return request.param


def holding(gate):
    return Holding(gate.database, lambda: None, leases.SHORT_LEASE)


@pytest.fixture
def activities(gate):
    return Activities(gate.jobs, gate.database, "fake", dict.fromkeys(Lane, 1))


def test_a_workflow_hears_that_something_is_due_when_it_can_be_claimed(gate, apart, activities):
    with gate.database.write() as session:
        jobs.add(session, Kind.ALERT, "one", None, gate.clock())
    due = activities.report(Kind.ALERT).due[Lane.MAIL]
    assert (due > 0) is (apart > timedelta())
    assert gate.jobs.run_next(Lane.MAIL, Kind.ALERT) is (due <= 0)


def test_a_round_that_is_begun_is_done_at_once(gate, apart):
    done = []
    gate.handlers[Kind.RECONCILE] = lambda job, now: done.append(job.subject) or nothing
    gate.jobs.begin_rounds()
    assert gate.jobs.run_next(Lane.UPKEEP, Kind.RECONCILE)
    assert done == [jobs.EVERYTHING]


def test_what_a_dead_process_held_can_be_claimed_at_once_by_who_takes_it_over(gate, apart):
    request_id = gate.receive("1")
    with gate.database.write() as session:
        session.connection.exec_driver_sql("UPDATE jobs SET due = now()")
    assert holding(gate).claim(Lane.CONSIDER, request_id)
    other = holding(gate)
    assert other.claim(Lane.CONSIDER, request_id) is None
    with gate.database.write() as session:
        owners.take_over(session, Lane.CONSIDER, request_id, gate.jobs.now(session))
    assert other.claim(Lane.CONSIDER, request_id)

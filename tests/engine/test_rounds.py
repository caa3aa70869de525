"""What is done again and again."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from approval.engine.attempts import Rounds
from approval.engine.jobs import Jobs
from approval.engine.retry import wait_of_round
from approval.failures import Failure
from approval.gate import nothing
from approval.platforms import PlatformError
from approval.store import jobs
from approval.store.jobs import EVERYTHING, Kind, Lane
from approval.store.tables import JOBS
from tests.fakes import OPERATOR
from tests.gate.faked import EVERY

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def rounds(gate):
    """The keys of the rounds that were done; they are promised and none was done yet."""
    done = []
    gate.handlers[Kind.RECONCILE] = lambda job, now: done.append(job.key) or nothing
    gate.jobs.begin_rounds()
    return done


def rows(gate):
    with gate.database.read() as session:
        return session.execute(sa.select(JOBS).where(JOBS.c.kind == Kind.RECONCILE)).all()


def test_a_round_is_due_at_the_start_and_again_when_its_time_has_come(gate, rounds):
    gate.work()
    assert len(rounds) == 1
    gate.pass_time(minutes=4, seconds=59)
    assert len(rounds) == 1
    gate.pass_time(seconds=1)
    assert len(rounds) == 2
    gate.pass_time(hours=1)
    assert len(rounds) == 14


def test_every_round_is_a_call_of_its_own(gate, rounds):
    gate.pass_time(minutes=20)
    assert len(rounds) == len(set(rounds)) == 5


def test_starting_again_makes_no_second_row_and_does_not_wait(gate, rounds):
    gate.work()
    gate.jobs.begin_rounds()
    gate.work()
    assert len(rounds) == 2
    assert len(rows(gate)) == 1


def test_a_round_that_is_asked_for_while_one_runs_is_done_at_once_after_it(gate, rounds):
    def ask_again(job, now):
        rounds.append(job.key)
        if len(rounds) == 1:
            with gate.database.write() as session:
                jobs.add(session, Kind.RECONCILE, EVERYTHING, None, now)
        return nothing

    gate.handlers[Kind.RECONCILE] = ask_again
    gate.work()
    assert len(rounds) == 2
    assert gate.next_due(Lane.UPKEEP) == gate.clock() + EVERY


@pytest.mark.parametrize(
    "failure",
    [
        PlatformError("no connection"),
        PlatformError("no", permanent=True),
        PlatformError("401", alert=True),
        RuntimeError("a bug"),
    ],
)
def test_a_round_that_fails_is_never_given_up_nor_waits_longer_than_usual(gate, rounds, failure):
    def fails(job, now):
        rounds.append(job.key)
        raise failure.with_traceback(None)

    gate.handlers[Kind.RECONCILE] = fails
    gate.pass_time(hours=5)  # longer than others are tried
    assert len(rounds) >= 5 * 12
    [row] = rows(gate)
    assert row.parked_at is None
    gate.handlers[Kind.RECONCILE] = lambda job, now: rounds.clear() or nothing
    gate.pass_time(minutes=5)
    assert rounds == []


def test_the_operator_is_told_of_rounds_that_fail_but_not_of_one(gate, rounds):
    def fails(job, now):
        raise PlatformError("no connection")

    works, gate.handlers[Kind.RECONCILE] = gate.handlers[Kind.RECONCILE], fails
    gate.work()
    gate.handlers[Kind.RECONCILE] = works
    gate.pass_time(minutes=10)
    assert gate.mails.to(OPERATOR) == []
    gate.handlers[Kind.RECONCILE] = fails
    gate.pass_time(minutes=30)
    [mail] = gate.mails.to(OPERATOR)
    assert "could not be compared" in mail["Subject"]


def test_redeliver_leaves_a_round_that_works_alone(gate, rounds):
    gate.work()
    assert gate.redeliver() == []


def test_a_round_that_is_not_wanted_any_more_is_done_once_and_gone(gate, rounds):
    counter = gate.jobs._counter
    without = Jobs(gate.database, gate.handlers, HOUR, gate.clock, counter)
    assert without.run_next(Lane.UPKEEP)
    assert rows(gate) == []


def test_when_a_round_last_worked_is_known(gate, rounds):
    last = gate.jobs._attempts.rounds.last.labels(Kind.RECONCILE)
    gate.pass_time(minutes=5)
    assert last._value.get() == gate.clock().timestamp()


def wait(attempts=1, *, every=5 * MINUTE, **failure):
    return wait_of_round(Failure("no", **failure), attempts, every, 1.0)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (wait(1), SECOND),
        (wait(4), 2 * MINUTE),
        (wait(5), 5 * MINUTE),
        (wait(1000), 5 * MINUTE),
        (wait(permanent=True), 5 * MINUTE),
        (wait(retry_after=30 * MINUTE), 30 * MINUTE),
        (wait(every=2 * HOUR, permanent=True), 2 * HOUR),
    ],
)
def test_a_round_waits_as_others_do_but_seldom_longer_than_until_the_next(found, expected):
    assert found == expected


def test_rounds_may_be_none(gate):
    counter = gate.jobs._counter
    Jobs(gate.database, gate.handlers, HOUR, gate.clock, counter).begin_rounds()
    none = Rounds({}, gate.jobs._attempts.rounds.last)
    Jobs(gate.database, gate.handlers, HOUR, gate.clock, counter, none).begin_rounds()
    assert rows(gate) == []

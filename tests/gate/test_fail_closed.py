"""Whatever fails, nothing is continued without a decision, and no decision is lost."""

import sqlite3
from itertools import count

import pytest
import sqlalchemy as sa

from approval.engine.retry import LONGEST
from approval.mail import MailError
from approval.model import Action, Delivery, TaskState
from approval.platforms import CallbackError, PlatformError
from approval.store.database import StoreDown
from approval.store.jobs import Lane
from approval.store.leases import LEASE
from tests.fakes import BEA, MAX, forbidden, refused, unreachable

FAILURES = [unreachable(), forbidden(), refused(), RuntimeError("a bug"), OSError("no space")]
DECIDED = {Action.ACCEPT: "accepted", Action.DECLINE: "declined"}


@pytest.mark.parametrize("error", FAILURES, ids=str)
@pytest.mark.parametrize("verb", ["read", "look", "approvers", "describe", "release", "send"])
def test_no_failing_call_decides_a_task(gate, verb, error):
    gate.platform.broken[verb] = error
    if verb == "send":
        gate.mails.broken = error
    try:
        gate.receive("1")
    except type(error):
        return
    gate.pass_time(hours=2)
    assert gate.task().state is TaskState.PENDING
    assert gate.platform.posts == []


@pytest.mark.parametrize("error", [CallbackError("no task"), RuntimeError("a bug")], ids=str)
def test_a_callback_that_fails_leaves_nothing_to_be_considered(gate, error):
    gate.platform.broken["read"] = error
    with pytest.raises(type(error)):
        gate.receive("1")
    gate.pass_time(hours=1)
    assert gate.platform.posts == []
    assert gate.mails.tried == []


@pytest.mark.parametrize("error", [MailError("down"), PlatformError("?"), ValueError()], ids=str)
@pytest.mark.parametrize("call", range(1, 8))
def test_each_call_may_fail_once_and_all_is_decided_and_told(gate, call, error):
    calls = count(1)

    def fail_once(what):
        if next(calls) == call:
            raise error

    gate.receive("1")
    gate.platform.on_call = gate.mails.on_send = fail_once
    gate.pass_time(minutes=5)
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(hours=3)
    assert set(gate.platform.told) == {("1", Action.ACCEPT)}
    assert gate.task().delivery is Delivery.DELIVERED


WRITES = 42  # a few more than there are from the callback to the last mail


class FailingStore:
    """Makes the nth statement that changes something fail, from every connection."""

    def __init__(self, nth):
        self.left = nth

    def __call__(self, connection, cursor, statement, parameters, context, executemany):
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            self.left -= 1
            if self.left == 0:
                error = sqlite3.OperationalError("disk I/O error")
                raise sa.exc.OperationalError(statement, parameters, error)


def persist(gate, step):
    """Do a step until the store takes it, as people and platforms do."""
    while True:
        try:
            return step()
        except StoreDown:
            continue


def work(gate):
    """Run all that is due; like the engine, go on when the store is down."""
    for lane in Lane:
        while persist(gate, lambda lane=lane: gate.jobs.run_next(lane)):
            pass


@pytest.mark.parametrize("nth", range(1, WRITES + 1))
def test_whatever_write_fails_only_what_was_decided_reaches_the_platform(gate, store, nth):
    posted = []
    release = gate.platform.release

    def watched(task, action, message, key):
        [(state,)] = store.rows("SELECT state FROM tasks WHERE platform_task_id = '1'")
        posted.append((action, state))
        release(task, action, message, key)

    gate.platform.people = [MAX]
    gate.platform.release = watched
    failing = FailingStore(nth)
    sa.event.listen(sa.Engine, "before_cursor_execute", failing)
    try:
        persist(gate, lambda: gate.receive("1"))
        work(gate)
        assert gate.platform.posts == []
        # Who was cut off while a job was theirs is waited for until their lease has run out.
        gate.clock.now += LEASE
        work(gate)
        counted = persist(gate, lambda: gate.press(MAX, Action.ACCEPT, "1"))
        for _ in range(4):
            gate.clock.now += LONGEST
            work(gate)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", failing)
    assert [task.decision.by for task in counted.decided] == ["Max"]
    assert set(posted) == {(Action.ACCEPT, "accepted")}
    assert gate.task().delivery is Delivery.DELIVERED
    assert gate.task().decision == counted.decided[0].decision

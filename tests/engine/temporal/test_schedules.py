"""Rounds are schedules of Temporal: made by the engine or the command, seen and paused there."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import ScheduleHandle, ScheduleOverlapPolicy

from approval.engine.temporal import checking, setup
from approval.engine.temporal.settings import Temporal as Section
from approval.gate import nothing
from approval.platforms import PlatformError
from approval.store.jobs import Kind
from tests.conftest import wait_until
from tests.engine.conftest import PATIENCE, engines_at
from tests.gate.faked import EVERY
from tests.temporals import new_queue


@pytest.fixture
def section(temporal):
    return Section(address=temporal.address, task_queue=new_queue())


@pytest.fixture
def rounds(gate):
    """The rounds that were done."""
    done = []
    gate.handlers[Kind.RECONCILE] = lambda job, now: done.append(job.kind) or nothing
    return done


def set_up(section, every):
    said = []
    checking.set_up(section, every, said.append)
    return said


def schedule(temporal, queue, act=ScheduleHandle.describe, kind=Kind.RECONCILE):
    async def ask():
        client = await temporal.client()
        return await act(client.get_schedule_handle(f"{queue}-{kind}"))

    return asyncio.run(ask())


def trigger(handle):
    """Have a round done as soon as none is."""
    return handle.trigger(overlap=ScheduleOverlapPolicy.BUFFER_ONE)


def test_an_engine_that_starts_makes_its_schedules_and_does_a_round_at_once(rounds, working):
    wait_until(lambda: rounds == [Kind.RECONCILE])
    found = schedule(working.server, working.queue)
    assert [each.every for each in found.schedule.spec.intervals] == [EVERY]


def test_a_round_is_done_whenever_the_schedule_says_so(rounds, working):
    wait_until(lambda: len(rounds) == 1)
    schedule(working.server, working.queue, trigger)
    wait_until(lambda: len(rounds) == 2)


def test_a_round_that_fails_is_tried_again_until_it_works(gate, rounds, working):
    wait_until(lambda: len(rounds) == 1)
    works, failed = gate.handlers[Kind.RECONCILE], []

    def fails(job, now):
        failed.append(job.attempts)
        if len(failed) == 2:
            gate.handlers[Kind.RECONCILE] = works
        raise PlatformError("no connection")

    gate.handlers[Kind.RECONCILE] = fails
    schedule(working.server, working.queue, trigger)
    for times in ([1], [1, 2]):
        wait_until(lambda times=times: failed == times)
        gate.clock.now += timedelta(minutes=1)
    wait_until(lambda: len(rounds) == 2)


def test_what_is_paused_is_not_done_by_an_engine_that_starts(gate, rounds, temporal):
    make = engines_at(temporal, gate)
    first = make()
    first.start()
    wait_until(lambda: len(rounds) == 1)
    assert first.stop(PATIENCE)
    schedule(temporal, first.task_queue, ScheduleHandle.pause)
    second = make()
    gate.database.wake = second.wake
    second.start()
    request_id = gate.receive("1")
    wait_until(lambda: "asked" in gate.kinds(request_id))
    assert second.stop(PATIENCE)
    assert len(rounds) == 1
    assert schedule(temporal, first.task_queue).schedule.state.paused


def test_setting_up_again_says_nothing_and_changes_only_what_differs(section, temporal):
    every = {Kind.RECONCILE: EVERY, Kind.PURGE: timedelta(hours=6)}
    assert len(set_up(section, every)) >= 2
    assert set_up(section, every) == []
    schedule(temporal, section.task_queue, ScheduleHandle.pause)
    assert set_up(section, {Kind.RECONCILE: 2 * EVERY}) == [
        f"changed the schedule {section.task_queue}-reconcile, every 0:10:00",
        f"removed the schedule {section.task_queue}-purge",
    ]
    found = schedule(temporal, section.task_queue).schedule
    assert [each.every for each in found.spec.intervals] == [2 * EVERY]
    assert found.state.paused


def test_the_search_attributes_are_registered_once(section, temporal):
    set_up(section, {})

    async def missing():
        return await setup.attributes_missing(await temporal.client())

    assert asyncio.run(missing()) == set()

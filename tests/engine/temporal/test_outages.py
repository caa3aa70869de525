"""Whatever dies, Temporal or who works for it, decisions are recorded and delivered."""

import asyncio
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from temporalio.api.operatorservice.v1 import RemoveSearchAttributesRequest

from approval.engine.temporal import outage, setup, sweep
from approval.engine.temporal.settings import Temporal as Section
from approval.engine.temporal.worker import TemporalEngine
from approval.model import Action, Delivery
from approval.platforms import PlatformError
from approval.store import jobs, wakes
from approval.store.jobs import Kind
from tests.conftest import wait_until
from tests.engine.conftest import PATIENCE, engines_at
from tests.fakes import BEA, OPERATOR
from tests.temporals import Temporal, new_queue, running

SLOW = 60.0  # seconds until a test that waits in vain for what died fails


@pytest.fixture
def mortal(tmp_path):
    """A server that may be killed."""
    with running(tmp_path) as server:
        yield server


def started(server, gate):
    engine = engines_at(server, gate)()
    gate.database.wake = engine.wake
    engine.start()
    return engine


def waiting(gate):
    with gate.database.read() as session:
        return wakes.backlog(session).waiting


def left(gate):
    """The kinds of the jobs that are not done."""
    with gate.database.read() as session:
        return [entry.kind for entry in jobs.backlog(session)]


def delivered(gate, *ids):
    return all(gate.task(id).delivery is Delivery.DELIVERED for id in ids)


def test_decisions_are_recorded_while_temporal_is_dead_and_delivered_when_it_is_back(mortal, gate):
    engine = started(mortal, gate)
    ids = [str(number) for number in range(5)]
    for id in ids:
        gate.receive(id)
    wait_until(lambda: len(gate.mails.recipients) == 2 * len(ids), SLOW)
    mortal.kill()
    for id in ids:
        gate.press(BEA, Action.ACCEPT, id)
    assert waiting(gate) == len(ids)
    assert gate.platform.told == []
    mortal.start()
    wait_until(lambda: delivered(gate, *ids), SLOW)
    assert sorted(gate.platform.told) == sorted((id, Action.ACCEPT) for id in ids)
    wait_until(lambda: waiting(gate) == 0)
    assert engine.stop(PATIENCE)


def test_a_gate_that_starts_while_temporal_is_dead_records_and_delivers_later(mortal, gate):
    gate.ask("1")
    mortal.kill()
    engine = started(mortal, gate)
    gate.press(BEA, Action.ACCEPT, "1")
    assert engine.alive
    mortal.start()
    wait_until(lambda: delivered(gate, "1"), SLOW)
    assert engine.stop(PATIENCE)


def test_a_server_that_lost_all_it_knew_is_told_again(temporal, gate, tmp_path):
    with running(tmp_path) as old:
        engine = started(old, gate)
        gate.receive("1")
        wait_until(lambda: len(gate.mails.recipients) == 2, SLOW)
        assert engine.stop(PATIENCE)
    gate.press(BEA, Action.ACCEPT, "1")
    engine = started(temporal, gate)
    wait_until(lambda: delivered(gate, "1"), SLOW)
    assert engine.stop(PATIENCE)


def test_the_operator_hears_of_an_outage_that_lasts_though_alerts_are_jobs_too(
    gate, tmp_path, monkeypatch
):
    monkeypatch.setattr(outage, "TOLD_AFTER", 0.0)
    engine = started(Temporal(tmp_path), gate)  # which was never started
    wait_until(lambda: gate.mails.to(OPERATOR))
    assert "Temporal cannot be reached" in gate.mails.to(OPERATOR)[0]["Subject"]
    assert engine.stop(PATIENCE)


def test_what_keeps_it_from_working_is_said_and_the_gate_goes_on(temporal, gate):
    section = Section(address=temporal.address, namespace="nowhere")
    engine = TemporalEngine(section, gate.jobs, gate.database, "fake", 1, gate.clock)
    engine.start()
    wait_until(lambda: "nowhere" in (engine.trouble or ""))
    assert engine.alive
    assert engine.stop(PATIENCE)


def test_search_attributes_that_somebody_removed_hold_up_nothing(mortal, gate):
    engine = started(mortal, gate)
    wait_until(lambda: not engine.trouble, SLOW)

    async def remove():
        client = await mortal.client()
        await client.operator_service.remove_search_attributes(
            RemoveSearchAttributesRequest(
                namespace=client.namespace, search_attributes=list(setup.ATTRIBUTES)
            )
        )

    asyncio.run(remove())
    gate.receive("1")
    wait_until(lambda: len(gate.mails.recipients) == 2, SLOW)
    assert engine.stop(PATIENCE)


def test_a_request_that_cannot_be_read_is_handed_over_and_no_outage(gate, store, working):
    odd = gate.receive("1")
    wait_until(lambda: gate.kinds(odd).count("mailed") == 2)
    store.change("UPDATE approval_requests SET requester = '{}'")
    with gate.database.write() as session:
        wakes.add(session, {odd: gate.clock()})
    working.engine.wake([])
    wait_until(lambda: waiting(gate) == 0)
    assert working.engine.trouble is None


def test_what_lost_its_workflow_and_its_wake_is_found_when_it_is_overdue(
    temporal, gate, monkeypatch
):
    monkeypatch.setattr(sweep, "SWEEP_EVERY", 0.05)
    engine = started(temporal, gate)
    request_id = gate.receive("1")
    wait_until(lambda: gate.kinds(request_id).count("mailed") == 2)

    async def terminate():
        client = await temporal.client()
        await client.get_workflow_handle(f"{engine.task_queue}-{request_id}").terminate()

    asyncio.run(terminate())
    gate.database.hands_over = False
    gate.press(BEA, Action.ACCEPT, "1")
    assert waiting(gate) == 0
    gate.clock.now += 2 * sweep.OVERDUE
    wait_until(lambda: delivered(gate, "1"), SLOW)
    assert engine.stop(PATIENCE)


def test_a_temporal_that_cannot_list_holds_up_no_wake_and_is_asked_again(mortal, gate, monkeypatch):
    monkeypatch.setattr(sweep, "SWEEP_EVERY", 0.05)
    monkeypatch.setattr(sweep, "LISTING", timedelta(seconds=0.5))
    unknown = gate.receive("1")
    mortal.rename_list("executions_visibility", "aside")
    with capture_logs() as logged:
        engine = started(mortal, gate)
        for id in ("2", "3"):
            known = gate.receive(id)
            wait_until(lambda known=known: gate.kinds(known).count("mailed") == 2, SLOW)
        wait_until(lambda: "list" in "".join(entry["event"] for entry in logged), SLOW)
        assert "asked" not in gate.kinds(unknown)
        mortal.rename_list("aside", "executions_visibility")
        wait_until(lambda: gate.kinds(unknown).count("mailed") == 2, SLOW)
    said = [entry["event"] for entry in logged if "list" in entry["event"]]
    assert said == ["temporal does not list what it knows, asking again"]
    assert engine.stop(PATIENCE)


def test_a_workflow_with_a_long_history_goes_on_in_a_new_run(gate, tmp_path):
    with running(tmp_path, "limit.historyCount.suggestContinueAsNew=10") as server:
        engine = started(server, gate)
        request_id = gate.receive("1", "2", "3")
        wait_until(lambda: gate.kinds(request_id).count("mailed") == 2, SLOW)

        async def runs():
            client = await server.client()
            query = f"WorkflowId = '{engine.task_queue}-{request_id}'"
            return [run.run_id async for run in client.list_workflows(query)]

        wait_until(lambda: len(asyncio.run(runs())) > 1, SLOW)
        for id in ("1", "2", "3"):
            gate.press(BEA, Action.ACCEPT, id)
            wait_until(lambda id=id: delivered(gate, id), SLOW)
        assert engine.stop(PATIENCE)


def test_a_store_that_is_down_is_asked_again_until_it_is_not(temporal, gate, lock):
    engine = started(temporal, gate)
    request_id = gate.receive("1")
    wait_until(lambda: gate.kinds(request_id).count("mailed") == 2, SLOW)
    gate.platform.errors["release"] = [PlatformError("busy", retry_after=timedelta(seconds=1))]
    gate.press(BEA, Action.ACCEPT, "1")
    wait_until(lambda: "failed" in gate.kinds(request_id), SLOW)
    with capture_logs() as logged:
        lock.close()
        gate.clock.now += timedelta(seconds=1)
        wait_until(lambda: "store down" in {entry["event"] for entry in logged}, SLOW)
    lock.open()
    wait_until(lambda: delivered(gate, "1"), SLOW)
    assert engine.stop(PATIENCE)


class Workers:
    """Engines in processes of their own that share a store and a task queue."""

    def __init__(self, server, store, folder: Path) -> None:
        self._server, self._store, self._folder = server, store, folder
        self._queue = new_queue()
        self.processes = []

    def start(self, name: str, *hang: str) -> subprocess.Popen:
        module = "tests.engine.temporal.other_process"
        words = (self._store.url, self._server.address, self._queue, self._folder / name)
        process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, words), *hang],
            cwd=Path(__file__).parents[3],
            stdin=subprocess.PIPE,
        )
        self.processes.append(process)
        return process

    def begun(self, name: str) -> list[str]:
        """The jobs that a worker has begun."""
        said = self._folder / name
        return said.read_text().split() if said.exists() else []


@pytest.fixture
def workers(temporal, store, tmp_path):
    workers = Workers(temporal, store, tmp_path)
    yield workers
    for process in workers.processes:
        process.kill()
        process.wait()
        process.stdin.close()


def test_what_a_worker_died_of_is_done_by_another_and_not_after_a_lease(gate, workers):
    gate.database.hands_over = True
    gate.clock.now = gate.clock.now.replace(year=2020)  # due by the clock of other processes
    dying = workers.start("dying", "hang")
    with gate.database.write() as session:
        jobs.add(session, Kind.ALERT, "one", None, gate.clock())
    wait_until(lambda: workers.begun("dying") == ["one"], SLOW)
    workers.start("other")
    dying.kill()
    wait_until(lambda: workers.begun("other") == ["one"], SLOW)
    wait_until(lambda: left(gate) == [])


@pytest.mark.parametrize("count", [20, pytest.param(100, marks=pytest.mark.long)])
def test_open_requests_outlive_a_restart(temporal, gate, count):
    ids = [str(number) for number in range(count)]
    for id in ids:
        gate.receive(id)
    gate.work()  # by an engine that leaves no wakes
    make = engines_at(temporal, gate)
    first = make()
    gate.database.wake = first.wake
    first.start()
    wait_until(lambda: waiting(gate) == 0 and first.alive)
    for id in ids[: count // 2]:
        gate.press(BEA, Action.ACCEPT, id)
    assert first.stop(PATIENCE)
    for id in ids[count // 2 :]:
        gate.press(BEA, Action.DECLINE, id)
    second = make()
    second.start()
    wait_until(lambda: delivered(gate, *ids), SLOW)
    assert len(gate.platform.told) == len(ids)
    assert second.stop(PATIENCE)

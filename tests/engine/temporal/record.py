"""Record histories of workflows for the replay test: python -m tests.engine.temporal.record

Do it when a workflow does something that none of them shows; what is recorded stays, because
workflows like these may be open when the gate is upgraded.
"""

import asyncio
import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from temporalio.client import ScheduleOverlapPolicy
from temporalio.service import RPCError

from approval.clock import utc_now
from approval.model import Action, Delivery
from approval.platforms import PlatformError
from approval.store import jobs
from approval.store.jobs import Kind
from tests.conftest import wait_until
from tests.engine.conftest import PATIENCE, engines_at
from tests.fakes import BEA, refused
from tests.gate.faked import FakedGate
from tests.stores import fresh_opened
from tests.temporals import Temporal, running

FOLDER = Path(__file__).parent / "histories"
SHORT = "limit.historyCount.suggestContinueAsNew=10"  # events
WHO = re.compile(rf"\d+@{re.escape(socket.gethostname())}")


def asked(gate: FakedGate, *ids: str) -> str:
    request_id = gate.receive(*ids)
    wait_until(lambda: gate.kinds(request_id).count("mailed") == 2)
    return request_id


def accepted(gate: FakedGate) -> str:
    request_id = asked(gate, "1")
    gate.press(BEA, Action.ACCEPT, "1")
    return request_id


def one_by_one(gate: FakedGate) -> str:
    request_id = asked(gate, "1", "2")
    gate.press(BEA, Action.ACCEPT, "1")
    wait_until(lambda: gate.task("1").delivery is Delivery.DELIVERED)
    gate.press(BEA, Action.DECLINE, "2")
    wait_until(lambda: gate.task("2").delivery is Delivery.DELIVERED)
    return request_id


def tried_again(gate: FakedGate) -> str:
    request_id = asked(gate, "1")
    gate.platform.errors["release"] = [PlatformError("busy", retry_after=timedelta(seconds=1))]
    gate.press(BEA, Action.ACCEPT, "1")
    return request_id


def undelivered(gate: FakedGate) -> str:
    gate.platform.errors["release"] = [refused()]
    return accepted(gate)


def alert(gate: FakedGate) -> str:
    with gate.database.write() as session:
        jobs.add(session, Kind.ALERT, "trouble", None, gate.clock())
    return Kind.ALERT


def still_open(gate: FakedGate) -> str:
    return asked(gate, "1")


STORIES: list[Callable[[FakedGate], str]] = [
    accepted, one_by_one, tried_again, undelivered, alert, still_open,
]  # fmt: skip


@contextmanager
def a_gate(server: Temporal, name: str) -> Iterator[FakedGate]:
    """A gate at work whose things are called after the story."""
    with (
        TemporaryDirectory() as folder,
        ThreadPoolExecutor(4) as threads,
        fresh_opened(Path(folder)) as database,
    ):
        gate = FakedGate(database, threads, clock=utc_now)
        engine = engines_at(server, gate, name)()
        database.wake = engine.wake
        engine.start()
        wait_until(lambda: not engine.trouble)
        yield gate
        assert engine.stop(PATIENCE)


async def save(server: Temporal, id: str, name: str, *, ended: bool = True) -> None:
    """Write the history of every run of a workflow."""
    client = await server.client()
    while ended:
        with suppress(RPCError):  # not begun yet
            await client.get_workflow_handle(id).result()
            break
    runs = [run async for run in client.list_workflows(f"WorkflowId = '{id}'")]
    for number, run in enumerate(sorted(runs, key=lambda run: run.start_time)):
        history = await client.get_workflow_handle(id, run_id=run.run_id).fetch_history()
        text = WHO.sub("gate", history.to_json())
        (FOLDER / f"{name}{number or ''}.json").write_text(f"{text}\n", "utf-8")


async def save_round(server: Temporal, queue: str) -> None:
    client = await server.client()
    handle = client.get_schedule_handle(f"{queue}-reconcile")
    await handle.trigger(overlap=ScheduleOverlapPolicy.BUFFER_ONE)
    query = f"TaskQueue = '{queue}' AND WorkflowType = 'ApprovalRound' AND CloseTime IS NOT NULL"
    while not (ended := [run async for run in client.list_workflows(query)]):
        await asyncio.sleep(0.1)
    await save(server, ended[0].id, "round")


def main() -> None:
    with TemporaryDirectory() as folder, running(Path(folder)) as server:
        for story in STORIES:
            name = story.__name__
            with a_gate(server, name) as gate:
                owner = story(gate)
                asyncio.run(save(server, f"{name}-{owner}", name, ended=story is not still_open))
                if story is alert:
                    asyncio.run(save_round(server, name))
    with (
        TemporaryDirectory() as folder,
        running(Path(folder), SHORT) as server,
        a_gate(server, "continued") as gate,
    ):
        asyncio.run(save(server, f"continued-{one_by_one(gate)}", "continued"))


if __name__ == "__main__":
    main()

"""The sweep: wakes whoever Temporal should work for and does not.

That is who came from another engine, whose workflow somebody ended, or whom a process with
another engine changed.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from approval.clock import Clock
from approval.engine.temporal.workflow import REQUEST
from approval.store import wakes
from approval.store.database import Database, StoreDown

OVERDUE = timedelta(minutes=1)  # what is due for so long has lost its way
AT_ONCE = 100  # owners woken together
SWEEP_EVERY = 60.0  # seconds
LISTING = timedelta(seconds=5)  # that each page of what Temporal knows may take
log = structlog.get_logger("approval.temporal")


class Sweep:
    """Writes wakes beside the relay, which it tells of them by `ring`: it holds up none itself."""

    def __init__(
        self, database: Database, task_queue: str, clock: Clock, ring: Callable[[], None]
    ) -> None:
        self._database = database
        self._task_queue = task_queue
        self._clock = clock
        self._ring = ring
        self._adopted = self._unlisted = False

    async def run(self, client: Client) -> None:
        """Sweep until cancelled. What goes wrong is tried again with the next sweep."""
        while True:
            try:
                found = await asyncio.to_thread(self._wake_overdue)
                if not self._adopted:
                    found += await self._adopt(client)
                if found:
                    self._ring()
            except StoreDown as error:
                log.error("store down", error=str(error))
            await asyncio.sleep(SWEEP_EVERY)

    async def _adopt(self, client: Client) -> int:
        """Wake once all who are unfinished here and not known there; returns how many."""
        try:
            known = await self._known(client)
        except RPCError as error:
            if not self._unlisted:
                log.warning("temporal does not list what it knows, asking again", error=str(error))
            self._unlisted = True
            return 0
        adopted = await asyncio.to_thread(self._wake_others, known)
        self._adopted = True
        if adopted or self._unlisted:
            log.info("took over what Temporal did not know", owners=adopted)
        return adopted

    async def _known(self, client: Client) -> set[str]:
        """The owners whose workflows run there. Raises RPCError."""
        query = (
            f"TaskQueue = '{self._task_queue}' AND WorkflowType = '{REQUEST}' "
            "AND ExecutionStatus = 'Running'"
        )
        return {
            each.id.removeprefix(f"{self._task_queue}-")
            async for each in client.list_workflows(query, rpc_timeout=LISTING)
        }

    def _wake_others(self, known: set[str]) -> int:
        with self._database.read() as session:
            left = wakes.unfinished(session) - known
        return self._wake(left)

    def _wake_overdue(self) -> int:
        with self._database.read() as session:
            lost = wakes.overdue(session, self._clock() - OVERDUE, AT_ONCE)
        return self._wake(lost)

    def _wake(self, owners: set[str]) -> int:
        if owners:
            with self._database.write() as session:
                wakes.add(session, dict.fromkeys(owners, self._clock()))
        return len(owners)

"""The engine: a connection to Temporal that is kept up, with workers and a relay on it."""

import asyncio
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from approval.clock import Clock
from approval.engine.jobs import Jobs
from approval.engine.temporal import setup
from approval.engine.temporal.activities import Activities
from approval.engine.temporal.connection import connect
from approval.engine.temporal.outage import Outage
from approval.engine.temporal.relay import Relay
from approval.engine.temporal.settings import LOOKS, Temporal
from approval.engine.temporal.sweep import Sweep
from approval.engine.temporal.workflow import Request, Round, queue_of
from approval.store.database import Database, StoreDown
from approval.store.jobs import Lane

PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between tries while Temporal is out of reach
GRACE = timedelta(seconds=25)  # that jobs under way have to end when the engine stops
STICKY = timedelta(seconds=2)  # that a workflow waits for the worker it was with, if that is dead
POLLS = 2  # questions for work that wait at the server, for each lane
CACHED = 200  # workflows kept in memory; another is replayed when something happens to it
REFUSED = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED)
log = structlog.get_logger("approval.temporal")


class TemporalEngine:
    """Has jobs run as activities: `threads` at a time in each lane, one in that of upkeep.

    It starts, and goes on, whether Temporal can be reached or not.
    """

    def __init__(
        self,
        settings: Temporal,
        jobs: Jobs,
        database: Database,
        platform: str,
        threads: int,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._jobs = jobs
        self._database = database
        self._slots = {lane: 1 if lane is Lane.UPKEEP else threads for lane in Lane}
        self._activities = Activities(jobs, database, platform, self._slots)
        self._outage = Outage(database, jobs, clock)
        self._relay: Relay | None = None
        self._sweep = Sweep(database, settings.task_queue, clock, self._ring)
        self._begun = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="temporal", daemon=True)

    def start(self) -> None:
        """Start working."""
        self._thread.start()

    def wake(self, lanes: Collection[str]) -> None:
        """Say that jobs were added in these lanes."""
        self._tell(self._ring)

    def stop(self, timeout: float) -> bool:
        """Finish what runs; says whether all of it ended within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        self._activities.stop()
        self._tell(self._stopping.set)
        self._thread.join(timeout)
        if self._thread.is_alive():
            return False
        return self._activities.end(deadline - time.monotonic())

    @property
    def task_queue(self) -> str:
        """What its workflows, queues and schedules are called."""
        return self._settings.task_queue

    @property
    def trouble(self) -> str | None:
        """What keeps it from handing anything over; None if all is well."""
        return self._outage.text

    @property
    def alive(self) -> bool:
        """Whether it works, or waits for Temporal to come back."""
        return self._thread.is_alive()

    def _ring(self) -> None:
        if self._relay:
            self._relay.ring()

    def _tell(self, what: Callable[[], object]) -> None:
        if self._loop is None:
            what()  # it has not begun
            return
        with suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(what)

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            looks = ThreadPoolExecutor(LOOKS, thread_name_prefix="temporal-look")
            self._loop.set_default_executor(looks)  # which the runner ends
            runner.run(self._keep_up())
        with suppress(StoreDown):  # then the next start hands the leases back
            self._jobs.catch_up()

    async def _keep_up(self) -> None:
        """Connect and work, again after whatever goes wrong."""
        tries = 0
        while not self._stopping.is_set():
            try:
                client = await connect(self._settings)
                tries = 0
                await self._work(client)
            except Exception as error:  # noqa: BLE001 - noted, and tried again
                await self._outage.note(error)
                await self._pause(tries)
                tries += 1

    async def _work(self, client: Client) -> None:
        """Work until the engine stops. Raises what breaks a worker."""
        workers = self._workers(client)
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker.run())
            beside = [
                group.create_task(self._relay_on(client)),
                group.create_task(self._sweep.run(client)),
            ]
            await self._stopping.wait()
            for task in beside:
                task.cancel()
            for worker in workers:
                group.create_task(worker.shutdown())

    def _workers(self, client: Client) -> list[Worker]:
        """One for the workflows, and one for the activities of each lane."""
        queue, activities = self._settings.task_queue, self._activities
        workflows = Worker(
            client,
            task_queue=queue,
            workflows=[Request, Round],
            activities=[activities.look],
            no_remote_activities=True,
            max_cached_workflows=CACHED,
            sticky_queue_schedule_to_start_timeout=STICKY,
            graceful_shutdown_timeout=GRACE,
        )
        lanes = [
            Worker(
                client,
                task_queue=queue_of(queue, lane),
                activities=[activities.run_due, activities.run_round],
                max_concurrent_activities=slots,
                max_concurrent_activity_task_polls=min(slots, POLLS),
                max_heartbeat_throttle_interval=timedelta(seconds=1),
                graceful_shutdown_timeout=GRACE,
            )
            for lane, slots in self._slots.items()
        ]
        return [workflows, *lanes]

    async def _relay_on(self, client: Client) -> None:
        """Relay, again after whatever goes wrong."""
        tries, queue = 0, self._settings.task_queue
        while True:
            relay = Relay(client, self._database, self._activities, queue)
            try:
                await self._prepare(client)
                self._relay = relay
                await relay.run(self._outage.over)
            except StoreDown as error:
                log.error("store down", error=str(error))
            except Exception as error:  # noqa: BLE001 - noted, and tried again
                await self._outage.note(error)
            tries = 0 if relay.worked else tries + 1
            await self._pause(tries)

    async def _prepare(self, client: Client) -> None:
        """Set up what Temporal has to know, as far as it lets us. Raises RPCError."""
        try:
            await setup.register_attributes(client, log.info)
        except RPCError as error:
            _unless_refused(error, "search attributes")
        else:
            self._activities.shows = True
        queue, rounds = self._settings.task_queue, self._jobs.rounds
        try:
            await setup.set_schedules(client, queue, rounds, log.info)
            if not self._begun:
                await setup.run_at_once(client, queue, rounds)
            self._begun = True
        except RPCError as error:
            _unless_refused(error, "schedules")

    async def _pause(self, tries: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PAUSES[min(tries, len(PAUSES) - 1)]):
                await self._stopping.wait()


def _unless_refused(error: RPCError, what: str) -> None:
    """Go on without what our account may not set up; somebody else has to."""
    if error.status not in REFUSED:
        raise error
    log.warning(f"not allowed to set up {what}; run 'approval temporal setup'", error=str(error))

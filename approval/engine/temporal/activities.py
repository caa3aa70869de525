"""What workflows have done: look how an owner stands, run what is due, do a round."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from approval.engine.jobs import Jobs
from approval.engine.temporal.story import story_of
from approval.engine.temporal.workflow import LOOK, RUN_DUE, RUN_ROUND, Report
from approval.store import owners, requests
from approval.store.database import Database, StoreDown
from approval.store.jobs import Kind, Lane

BEAT = 1.0  # seconds between two signs of life
SHARE = 30.0  # seconds after which the next owner of the lane has its turn
PAUSE = 0.5  # seconds between tries to record what was done
log = structlog.get_logger("approval.temporal")


class Activities:
    """The activities of one process; `threads` of them run at a time in each lane.

    `shows` says whether Temporal knows the search attributes.
    """

    def __init__(
        self, jobs: Jobs, database: Database, platform: str, threads: Mapping[Lane, int]
    ) -> None:
        self.shows = False
        self._jobs = jobs
        self._database = database
        self._platform = platform
        self._stopping = threading.Event()
        self._pools = {
            lane: ThreadPoolExecutor(count, thread_name_prefix=f"temporal-{lane}")
            for lane, count in threads.items()
        }
        self._running: dict[tuple[str, Lane], Future[Any]] = {}

    def stop(self) -> None:
        """Begin no more jobs."""
        self._stopping.set()

    def end(self, timeout: float) -> bool:
        """Wait for what runs; says whether all of it ended."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        return not wait(list(self._running.values()), max(timeout, 0)).not_done

    @activity.defn(name=LOOK)
    async def look(self, owner: str, known: str) -> Report:
        """How an owner stands, with its story unless that is the known one."""
        with _discreet():
            return await asyncio.to_thread(self.report, owner, known)

    @activity.defn(name=RUN_DUE)
    async def run_due(self, owner: str, lane: str) -> None:
        """Run what is due of an owner in a lane."""
        with _discreet():
            await self._alive(owner, Lane(lane), lambda: self._run_due(owner, Lane(lane)))

    @activity.defn(name=RUN_ROUND)
    async def run_round(self, kind: str, begin: bool) -> float | None:
        """Do a round; returns in how many seconds to try again, None if it worked."""
        with _discreet():
            again: float | None = await self._alive(
                kind, Lane.UPKEEP, lambda: self._run_round(Kind(kind), begin)
            )
            return again

    def report(self, owner: str, known: str = "") -> Report:
        """How an owner stands in the store. Raises StoreDown."""
        with self._database.read() as session:
            now = self._jobs.now(session)
            dues = owners.dues_of(session, owner)
            if owner in owners.KINDS:
                return Report(self._seconds(dues, now), over=True)
            request = requests.load(session, owner)
            if request is None:
                return Report(self._seconds(dues, now), over=True)
            story = story_of(session, request, self._platform, searchable=self.shows)
        over = request.closed_at is not None
        return Report(self._seconds(dues, now), over, None if story.version == known else story)

    def _seconds(self, dues: Mapping[Lane, datetime], now: datetime) -> dict[str, float]:
        """Counted from here, so that clocks of workers and servers may differ."""
        return {lane.value: (due - now).total_seconds() for lane, due in dues.items()}

    def _run_due(self, owner: str, lane: Lane) -> None:
        until = time.monotonic() + SHARE

        def go_on() -> bool:
            return not self._stopping.is_set() and time.monotonic() < until

        self._jobs.run_due(owner, [lane], go_on)

    def _run_round(self, kind: Kind, begin: bool) -> float | None:
        if begin:
            self._jobs.begin_rounds([kind])
        self._jobs.run_next(Lane.UPKEEP, kind)  # once, however long ago the next seems due
        with self._database.read() as session:
            due, now = owners.failing(session, kind), self._jobs.now(session)
        return None if due is None else (due - now).total_seconds()

    async def _alive(self, owner: str, lane: Lane, run: Callable[[], Any]) -> Any:
        """Run in a thread of the lane, giving signs of life. Raises StoreDown.

        Another attempt while the first still runs here (Temporal had lost sight of it) joins it.
        """
        if self._stopping.is_set():
            raise ApplicationError(
                "this worker ends; another one has to", category=ApplicationErrorCategory.BENIGN
            )
        key = (owner, lane)
        future = self._running.get(key)
        if future is None:
            again = activity.info().attempt > 1
            future = self._pools[lane].submit(self._whole, key, run, again)
            self._running[key] = future
            future.add_done_callback(lambda _: self._running.pop(key, None))
        result = asyncio.wrap_future(future)
        while not (await asyncio.wait([result], timeout=BEAT))[0]:
            activity.heartbeat()
        return result.result()

    def _whole(self, key: tuple[str, Lane], run: Callable[[], Any], again: bool) -> Any:
        """Run, and stay until what was done is recorded: nobody else knows of it."""
        if again:
            with self._database.write() as session:  # whoever tried before is known to be gone
                owners.take_over(session, key[1], key[0], self._jobs.now(session))
        while True:
            try:
                return run()
            except StoreDown as error:
                log.error("store down", lane=key[1], error=str(error))
                if not self._jobs.unrecorded or self._stopping.wait(PAUSE):
                    raise


@contextmanager
def _discreet() -> Iterator[None]:
    """Keep the words of errors in the log: they may name somebody, and Temporal stores them."""
    try:
        yield
    except ApplicationError:
        raise
    except StoreDown:
        raise ApplicationError("the store is down") from None
    except Exception as error:
        log.exception("activity broke")
        raise ApplicationError(f"unexpected {type(error).__name__}; the log has more") from None

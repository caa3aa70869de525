"""The embedded engine: threads in the process, woken by the commit that made the job."""

import threading
import time
from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta

import structlog

from approval.engine.jobs import Jobs
from approval.engine.outage import Outage
from approval.store.database import StoreDown
from approval.store.jobs import Lane

# Seconds. Jobs made by another process (`approval redeliver`) are found within this time.
LOOK_AT_LEAST_EVERY = 2.0
SHORTEST = 0.05  # when another process holds a due job's row, and may stand still
FIRST_PAUSE = 0.1  # while the store is down; then twice as long each time
log = structlog.get_logger("approval.engine")


class _Bell:
    """Wakes one waiting thread of a lane; a ring while all are busy is not missed."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0

    @property
    def rings(self) -> int:
        """How often it rang; pass it to `wait`."""
        return self._rings

    def ring(self, everybody: bool = False) -> None:
        """Wake one thread, or all of them."""
        with self._condition:
            self._rings += 1
            if everybody:
                self._condition.notify_all()
            else:
                self._condition.notify()

    def wait(self, heard: int, timeout: float) -> None:
        """Wait until it rings, unless it rang since `heard`, for at most `timeout` seconds."""
        with self._condition:
            if self._rings == heard:
                self._condition.wait(timeout)


class Embedded:
    """Runs jobs in `threads` threads for each lane, and in one for what nobody waits for."""

    def __init__(self, jobs: Jobs, threads: int) -> None:
        self._jobs = jobs
        self._stopping = threading.Event()
        self._outage = Outage()
        self._bells = {lane: _Bell() for lane in Lane}
        self._threads = [
            threading.Thread(target=self._work, args=(lane,), name=f"{lane}-{number}", daemon=True)
            for lane in Lane
            for number in range(1 if lane is Lane.UPKEEP else threads)
        ]

    def start(self) -> None:
        """Start working."""
        for thread in self._threads:
            thread.start()

    def wake(self, lanes: Collection[str]) -> None:
        """Say that jobs were added in these lanes."""
        for lane in lanes:
            self._bells[Lane(lane)].ring()

    def stop(self, timeout: float) -> bool:
        """Finish what runs; says whether all of it ended within `timeout` seconds."""
        self._stopping.set()
        for bell in self._bells.values():
            bell.ring(everybody=True)
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def alive(self) -> bool:
        """Whether every thread works."""
        return all(thread.is_alive() for thread in self._threads)

    def _goes_on(self) -> bool:
        return not self._stopping.is_set()

    def _work(self, lane: Lane) -> None:
        bell, pause = self._bells[lane], FIRST_PAUSE
        while self._goes_on():
            heard = bell.rings
            try:
                ran = self._jobs.run(lane, go_on=self._goes_on)
                wait = None if ran else self._jobs.due_in(lane)
                self._outage.over(lane)
                if ran:
                    pause = FIRST_PAUSE
                    continue
            except StoreDown as error:
                self._outage.note(lane, error)
                bell.wait(heard, pause)
                pause = min(2 * pause, LOOK_AT_LEAST_EVERY)
                continue
            except Exception:
                log.exception("thread broke", lane=lane)
                wait = None
            bell.wait(heard, _seconds(wait))
            pause = FIRST_PAUSE
        with suppress(StoreDown):  # then the next start hands the leases back
            self._jobs.catch_up()


def _seconds(wait: timedelta | None) -> float:
    if wait is None:
        return LOOK_AT_LEAST_EVERY
    return min(max(wait.total_seconds(), SHORTEST), LOOK_AT_LEAST_EVERY)

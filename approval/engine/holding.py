"""Holding: the jobs that this process has claimed, and the heartbeat that keeps them its own."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from approval.model import Job
from approval.store import jobs, leases
from approval.store.database import Database, StoreDown
from approval.store.session import Session

BEATS = 3  # in a lease, so that one or two may be missed
log = structlog.get_logger("approval.jobs")


class Holding:
    """Claims jobs for `length`. `clock` says by which time; None is the database's own."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime | None],
        length: timedelta = leases.LEASE,
    ) -> None:
        self._database = database
        self._clock = clock
        self._length = length
        self._held: dict[str, Job] = {}  # by lease

    def claim(self, lane: jobs.Lane, owner: str | None) -> Job | None:
        """Take a due job and hold it. Raises StoreDown."""
        with self._database.write() as session:
            job = self.take(session, lane, owner)
        self.hold(job)
        return job

    def take(self, session: Session, lane: jobs.Lane, owner: str | None) -> Job | None:
        """Take a due job; `hold` it when that is on the disk."""
        return leases.claim(session, lane, self._clock(), owner, self._length)

    def hold(self, job: Job | None) -> None:
        """Keep a job that was taken, if there was one, until it is let go."""
        if job is not None:
            self._held[job.lease] = job

    def due_in(self, lane: jobs.Lane) -> timedelta | None:
        """How long it is until the lane's next job is due. Raises StoreDown."""
        with self._database.read() as session:
            return leases.due_in(session, lane, self._clock())

    def now(self, session: Session) -> datetime:
        """The time by which jobs are due."""
        return self._clock() or leases.now(session)

    def let_go(self, job: Job) -> None:
        """How it ended is recorded, or void."""
        self._held.pop(job.lease, None)

    def keep(self) -> None:
        """Put off the end of all leases. Raises StoreDown."""
        if held := list(self._held.values()):
            with self._database.write() as session:
                leases.keep(session, held, self._clock(), self._length)

    def give_back(self, now: datetime) -> int:
        """Let others have at once what we shall not end. Raises StoreDown."""
        held, self._held = list(self._held.values()), {}
        if not held:
            return 0
        with self._database.write() as session:
            return leases.give_back(session, held, now)

    @property
    def beat(self) -> float:
        """Seconds between two calls of `keep`."""
        return self._length.total_seconds() / BEATS


class Heartbeat:
    """A thread that keeps what is held: short leases for work that may take long."""

    def __init__(self, holding: Holding) -> None:
        self._holding = holding
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._holding.beat):
            try:
                self._holding.keep()
            except StoreDown as error:
                log.error("store down", error=str(error))
            except Exception:
                log.exception("heartbeat broke")

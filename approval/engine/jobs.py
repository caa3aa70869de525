"""Run jobs: claim one under a lease, act, record. The same with every engine."""

import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter, Gauge

from approval.clock import Clock
from approval.engine.holding import Holding
from approval.engine.retry import wait_after, wait_of_round
from approval.failures import Failure
from approval.gate import Handler, Record, trouble
from approval.model import Job
from approval.store import jobs, leases, locks, owners
from approval.store.database import Database, StoreDown
from approval.store.session import Session

Take = Callable[[Session], Job | None]
DONE = "done"
log = structlog.get_logger("approval.jobs")


def _no_other(session: Session) -> None:
    """Take no other job."""


class LeaseLost(Exception):
    """Raised if a job was claimed by somebody else meanwhile; what we wanted to record is void."""


@dataclass(frozen=True)
class Rounds:
    """What is done again and again: how often, and when it last worked, by kind of job."""

    every: Mapping[jobs.Kind, timedelta]
    last: Gauge


@dataclass(frozen=True)
class _End:
    """How a run of a job ended; `write` records it, or returns False if the lease is lost."""

    job: Job
    name: str
    write: Callable[[Session], bool]


class Jobs:
    """Runs due jobs; the handlers by kind do the work.

    The kinds in `rounds` are due again when they are done, and are never given up.
    """

    def __init__(
        self,
        database: Database,
        handlers: Mapping[jobs.Kind, Handler],
        give_up_after: timedelta,
        clock: Clock,
        counter: Counter,
        rounds: Rounds | None = None,
        holding: Holding | None = None,
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._give_up_after = give_up_after
        self._clock = clock
        self._counter = counter
        self._rounds = rounds
        self._holding = holding or Holding(database, clock)
        # Never more than there are threads: each records what is here before it claims a job.
        self._unrecorded: deque[_End] = deque()

    def begin_rounds(self, kinds: Iterable[jobs.Kind] | None = None) -> None:
        """Promise what is done again and again, or some of it, due at once. Raises StoreDown."""
        with self._database.write() as session:
            now = self.now(session)
            for kind in self.rounds if kinds is None else kinds:
                jobs.begin_round(session, kind, now)

    @property
    def rounds(self) -> Mapping[jobs.Kind, timedelta]:
        """What is done again and again, and how often."""
        return self._rounds.every if self._rounds else {}

    @property
    def unrecorded(self) -> bool:
        """Whether a job has ended here of which the store does not know yet."""
        return bool(self._unrecorded)

    def run(
        self,
        lane: jobs.Lane,
        owner: str | None = None,
        go_on: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Run the due jobs of a lane, of one owner or of any, the longest due first.

        After each, `go_on` says whether to take another, in the transaction that records how
        that one ended. Returns whether there was any. A job may run twice if we crash after its
        work and before its record, so handlers bear repetition. Raises StoreDown.
        """

        def take(session: Session) -> Job | None:
            return self._holding.take(session, lane, owner) if go_on() else None

        self.catch_up()
        job = found = self._holding.claim(lane, owner)
        while job:
            job = self._record(self._run(job), take)
        return found is not None

    def run_next(self, lane: jobs.Lane, owner: str | None = None) -> bool:
        """Run the longest due job of a lane; says whether there was one. Raises StoreDown."""
        return self.run(lane, owner, go_on=lambda: False)

    def catch_up(self) -> None:
        """Record what ended while the store was down. Raises StoreDown if it still is."""
        while True:
            try:
                end = self._unrecorded.popleft()
            except IndexError:
                return
            self._record(end)

    def run_due(
        self,
        owner: str,
        lanes: Iterable[jobs.Lane] = tuple(jobs.Lane),
        go_on: Callable[[], bool] = lambda: True,
    ) -> datetime | None:
        """Run what is due of one owner, one job after the other, as long as `go_on` says so.

        Returns when its next job is due, None if there is none. Raises StoreDown.
        """
        while go_on() and any(self.run(lane, owner, go_on) for lane in lanes):
            pass
        with self._database.read() as session:
            return min(owners.dues_of(session, owner).values(), default=None)

    def due_in(self, lane: jobs.Lane) -> timedelta | None:
        """How long it is until the lane's next job is due."""
        return self._holding.due_in(lane)

    def hand_back(self) -> int:
        """Let others have at once what we hold and shall not end. Raises StoreDown."""
        return self._holding.give_back(self._clock())

    def now(self, session: Session) -> datetime:
        """The time by which jobs are due."""
        return self._holding.now(session)

    def next_due(self, lane: jobs.Lane) -> datetime | None:
        """When the lane's next job is due."""
        with self._database.read() as session:
            return leases.next_due(session, lane)

    def _run(self, job: Job) -> _End:
        try:
            record = self._handlers[jobs.Kind(job.kind)](job, self._clock())
        except Failure as failure:
            return self._failed(job, failure)
        except StoreDown as error:
            return self._failed(job, Failure(f"the store was down: {error}"))
        except Exception as error:  # noqa: BLE001 - logged there
            return self._broken(job, error)
        return self._done(job, record)

    def _done(self, job: Job, record: Record) -> _End:
        now = self._clock()
        every = self._every(job)

        def write(session: Session) -> bool:
            again = record(session, now)
            if due := now + every if every else again:
                return leases.repeat(session, job, due, now)
            return leases.finish(session, job, now)

        return _End(job, DONE, write)

    def _broken(self, job: Job, error: Exception) -> _End:
        log.exception("job broke", kind=job.kind, subject=job.subject, request=job.request_id)
        return self._failed(job, Failure(f"unexpected {type(error).__name__}: {error}"))

    def _failed(self, job: Job, failure: Failure) -> _End:
        now = self._clock()
        wait = self._wait(job, failure, now)
        log.warning(
            "job failed",
            kind=job.kind,
            subject=job.subject,
            request=job.request_id,
            attempt=job.attempts,
            error=str(failure),
            again_in=None if wait is None else round(wait.total_seconds(), 1),
        )

        def write(session: Session) -> bool:
            if wait is None:
                trouble.on_park(session, job, failure, now)
                return leases.park(session, job, now, str(failure))
            trouble.on_failure(session, job, failure, now)
            awaits = failure.awaits
            since = now - job.waited(awaits, now) if awaits else None
            return leases.postpone(session, job, now + wait, str(failure), awaits, since)

        return _End(job, "parked" if wait is None else "failed", write)

    def _wait(self, job: Job, failure: Failure, now: datetime) -> timedelta | None:
        chance = random.random()  # noqa: S311
        if every := self._every(job):
            return wait_of_round(failure, job.attempts, every, chance)
        age = now - job.made_at
        return wait_after(failure, job.attempts, age, self._give_up_after, chance)

    def _every(self, job: Job) -> timedelta | None:
        """How often the job is done; None for what is done once."""
        return self._rounds.every.get(jobs.Kind(job.kind)) if self._rounds else None

    def _record(self, end: _End, take: Take = _no_other) -> Job | None:
        """Write how a job ended, now or when the store is back. Raises StoreDown.

        Returns the next job, which `take` has claimed in the same transaction.
        """
        job = end.job
        try:
            with self._database.write() as session:
                if job.request_id:
                    locks.hold(session, job.request_id)
                if not end.write(session):
                    raise LeaseLost
                # Whoever runs its jobs looks at an owner again when they are done.
                session.changed.pop(jobs.owner_of(job.kind, job.request_id), None)
                taken = take(session)
        except LeaseLost:
            self._holding.let_go(job)
            log.warning("lease lost", kind=job.kind, subject=job.subject, request=job.request_id)
            return None
        except StoreDown:
            self._unrecorded.append(end)
            raise
        except Exception as error:
            if take is not _no_other:
                log.exception("neither recorded nor taken", kind=job.kind, subject=job.subject)
                return self._record(end)  # what broke may be the other job
            if end.name != DONE:
                self._holding.let_go(job)  # so that its lease runs out
                raise
            return self._record(self._broken(job, error))
        self._holding.let_go(job)
        self._holding.hold(taken)
        self._note(end)
        return taken

    def _note(self, end: _End) -> None:
        """Count and log how a job ended."""
        job = end.job
        self._counter.labels(job.kind, end.name).inc()
        if end.name == DONE:
            if self._rounds and self._every(job):
                self._rounds.last.labels(job.kind).set(self._clock().timestamp())
            log.info("job done", kind=job.kind, subject=job.subject, request=job.request_id)

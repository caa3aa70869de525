"""Run jobs: claim one under a lease, act, record. The same with every engine."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy import orm

from approval.clock import Clock
from approval.engine.retry import wait_after, wait_of_round
from approval.failures import Failure
from approval.gate import Handler, Record, trouble
from approval.model import Job
from approval.store import jobs, leases
from approval.store.database import Database, StoreDown

log = structlog.get_logger("approval.jobs")


class LeaseLost(Exception):
    """Raised if a job was claimed by somebody else meanwhile; what we wanted to record is void."""


@dataclass(frozen=True)
class Rounds:
    """What is done again and again: how often, and when it last worked, by kind of job."""

    every: Mapping[jobs.Kind, timedelta]
    last: Gauge


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
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._give_up_after = give_up_after
        self._clock = clock
        self._counter = counter
        self._rounds = rounds

    def begin_rounds(self) -> None:
        """Promise what is done again and again, due at once. Raises StoreDown."""
        if self._rounds is None:
            return
        now = self._clock()
        with self._database.write() as session:
            for kind in self._rounds.every:
                jobs.add(session, kind, jobs.EVERYTHING, None, now)

    def run_next(self, lane: jobs.Lane, request_id: str | None = None) -> bool:
        """Run the lane's longest due job; says whether there was one. Raises StoreDown.

        A job may run twice if we crash after its work and before its record, so handlers
        bear repetition.
        """
        job = self._claim(lane, request_id)
        if job is None:
            return False
        try:
            record = self._handlers[jobs.Kind(job.kind)](job, self._clock())
            self._done(job, record)
        except Failure as failure:
            self._failed(job, failure)
        except StoreDown:
            raise  # the lease runs out by itself
        except Exception as error:
            log.exception("job broke", kind=job.kind, subject=job.subject, request=job.request_id)
            self._failed(job, Failure(f"unexpected {type(error).__name__}: {error}"))
        return True

    def run_due(self, request_id: str) -> datetime | None:
        """Run all that is due of one request; returns when the next is due, None if nothing is."""
        while any(self.run_next(lane, request_id) for lane in jobs.Lane):
            pass
        with self._database.read() as session:
            return leases.next_due_of(session, request_id)

    def next_due(self, lane: jobs.Lane) -> datetime | None:
        """When the lane's next job is due."""
        with self._database.read() as session:
            return leases.next_due(session, lane)

    def _claim(self, lane: jobs.Lane, request_id: str | None) -> Job | None:
        with self._database.write() as session:
            return leases.claim(session, lane, self._clock(), request_id)

    def _done(self, job: Job, record: Record) -> None:
        now = self._clock()
        every = self._every(job)

        def write(session: orm.Session) -> bool:
            record(session, now)
            if every:
                return leases.repeat(session, job, now + every, now)
            return leases.finish(session, job, now)

        self._fenced(job, write)
        if every and self._rounds:
            self._rounds.last.labels(job.kind).set(now.timestamp())
        self._counter.labels(job.kind, "done").inc()
        log.info("job done", kind=job.kind, subject=job.subject, request=job.request_id)

    def _failed(self, job: Job, failure: Failure) -> None:
        now = self._clock()
        wait = self._wait(job, failure, now)

        def write(session: orm.Session) -> bool:
            if wait is None:
                trouble.on_park(session, job, failure, now)
                return leases.park(session, job, now, str(failure))
            trouble.on_failure(session, job, failure, now)
            awaits = failure.awaits
            since = now - job.waited(awaits, now) if awaits else None
            return leases.postpone(session, job, now + wait, str(failure), awaits, since)

        self._fenced(job, write)
        self._counter.labels(job.kind, "parked" if wait is None else "failed").inc()
        log.warning(
            "job failed",
            kind=job.kind,
            subject=job.subject,
            request=job.request_id,
            attempt=job.attempts,
            error=str(failure),
            again_in=None if wait is None else round(wait.total_seconds(), 1),
        )

    def _wait(self, job: Job, failure: Failure, now: datetime) -> timedelta | None:
        chance = random.random()  # noqa: S311
        if every := self._every(job):
            return wait_of_round(failure, job.attempts, every, chance)
        age = now - job.made_at
        return wait_after(failure, job.attempts, age, self._give_up_after, chance)

    def _every(self, job: Job) -> timedelta | None:
        """How often the job is done; None for what is done once."""
        return self._rounds.every.get(jobs.Kind(job.kind)) if self._rounds else None

    def _fenced(self, job: Job, write: Callable[[orm.Session], bool]) -> None:
        """Write only while the lease is ours."""
        try:
            with self._database.write() as session:
                if not write(session):
                    raise LeaseLost
        except LeaseLost:
            log.warning("lease lost", kind=job.kind, subject=job.subject, request=job.request_id)

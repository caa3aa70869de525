"""Attempts: act on a claimed job, and say what is to be recorded of it."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from prometheus_client import Gauge

from approval.clock import Clock
from approval.engine.retry import wait_after, wait_of_round
from approval.failures import Failure
from approval.gate import Handler, Record, trouble
from approval.model import Job
from approval.store import jobs, leases
from approval.store.database import StoreDown
from approval.store.session import Session

DONE = "done"
log = structlog.get_logger("approval.jobs")


@dataclass(frozen=True)
class Rounds:
    """What is done again and again: how often, and when it last worked, by kind of job."""

    every: Mapping[jobs.Kind, timedelta]
    last: Gauge


@dataclass(frozen=True)
class End:
    """How an attempt ended; `write` records it, or returns False if the lease is lost."""

    job: Job
    name: str
    write: Callable[[Session], bool]


class Attempts:
    """Acts with the handler of each kind; nothing of it is recorded yet.

    The kinds in `rounds` are due again when they are done, and are never given up.
    """

    def __init__(
        self,
        handlers: Mapping[jobs.Kind, Handler],
        give_up_after: timedelta,
        clock: Clock,
        rounds: Rounds | None = None,
    ) -> None:
        self.handlers = handlers
        self.rounds = rounds
        self._give_up_after = give_up_after
        self._clock = clock

    def make(self, job: Job) -> End:
        """Do the work of a job, whatever becomes of it."""
        try:
            record = self.handlers[jobs.Kind(job.kind)](job, self._clock())
        except Failure as failure:
            return self._failed(job, failure)
        except StoreDown as error:
            return self._failed(job, Failure(f"the store was down: {error}"))
        except Exception as error:  # noqa: BLE001 - logged there
            return self.broken(job, error)
        return self._done(job, record)

    def _done(self, job: Job, record: Record) -> End:
        now = self._clock()
        every = self.every(job)

        def write(session: Session) -> bool:
            again = record(session, now)
            if due := now + every if every else again:
                return leases.repeat(session, job, due, now)
            return leases.finish(session, job, now)

        return End(job, DONE, write)

    def broken(self, job: Job, error: Exception) -> End:
        """How a job ends in which something went wrong that nobody thought of."""
        log.exception("job broke", kind=job.kind, subject=job.subject, request=job.request_id)
        return self._failed(job, Failure(f"unexpected {type(error).__name__}: {error}"))

    def _failed(self, job: Job, failure: Failure) -> End:
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

        return End(job, "parked" if wait is None else "failed", write)

    def _wait(self, job: Job, failure: Failure, now: datetime) -> timedelta | None:
        chance = random.random()  # noqa: S311
        if every := self.every(job):
            return wait_of_round(failure, job.attempts, every, chance)
        age = now - job.made_at
        return wait_after(failure, job.attempts, age, self._give_up_after, chance)

    def every(self, job: Job) -> timedelta | None:
        """How often the job is done; None for what is done once."""
        return self.rounds.every.get(jobs.Kind(job.kind)) if self.rounds else None

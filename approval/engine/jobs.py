"""Run jobs: claim one under a lease, act, record. The same with every engine."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter

from approval.clock import Clock
from approval.engine.attempts import DONE, Attempts, End, Rounds
from approval.engine.holding import Holding
from approval.gate import Handler
from approval.model import Job
from approval.store import jobs, leases, locks, owners
from approval.store.database import Database, StoreDown
from approval.store.session import Session

Take = Callable[[Session], Job | None]
log = structlog.get_logger("approval.jobs")


def _no_other(session: Session) -> None:
    """Take no other job."""


class LeaseLost(Exception):
    """Raised if a job was claimed by somebody else meanwhile; what we wanted to record is void."""


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
        self._attempts = Attempts(handlers, give_up_after, clock, rounds)
        self._clock = clock
        self._counter = counter
        self._holding = holding or Holding(database, clock)
        # Never more than there are threads: each records what is here before it claims a job.
        self._unrecorded: deque[End] = deque()

    def begin_rounds(self, kinds: Iterable[jobs.Kind] | None = None) -> None:
        """Promise what is done again and again, or some of it, due at once. Raises StoreDown."""
        with self._database.write() as session:
            now = self.now(session)
            for kind in self.rounds if kinds is None else kinds:
                jobs.begin_round(session, kind, now)

    @property
    def handlers(self) -> Mapping[jobs.Kind, Handler]:
        """What does the work of each kind."""
        return self._attempts.handlers

    @property
    def rounds(self) -> Mapping[jobs.Kind, timedelta]:
        """What is done again and again, and how often."""
        rounds = self._attempts.rounds
        return rounds.every if rounds else {}

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
            job = self._record(self._attempts.make(job), take)
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

    def _record(self, end: End, take: Take = _no_other) -> Job | None:
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
            return self._record(self._attempts.broken(job, error))
        self._holding.let_go(job)
        self._holding.hold(taken)
        self._note(end)
        return taken

    def _note(self, end: End) -> None:
        """Count and log how a job ended."""
        job = end.job
        self._counter.labels(job.kind, end.name).inc()
        if end.name == DONE:
            if (rounds := self._attempts.rounds) and self._attempts.every(job):
                rounds.last.labels(job.kind).set(self._clock().timestamp())
            log.info("job done", kind=job.kind, subject=job.subject, request=job.request_id)

"""Purge: what is older than the retention loses its personal data and keeps its trail."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from approval.audit.testimony import PURGED
from approval.gate import Record, nothing
from approval.model import Job
from approval.store import retention, trail
from approval.store.database import Database

EVERY = timedelta(hours=6)
REQUESTS = 20  # in one transaction, so that a press waits for a few milliseconds at most
MACHINES = 200


@dataclass(frozen=True)
class Purged:
    """What a purge dropped."""

    requests: int
    machines: int


class Purge:
    """The handler of `purge` jobs; with `after` None nothing is ever too old.

    Each batch is a transaction of its own, and `pause` comes between two: a purge that is cut off
    goes on where it was.
    """

    def __init__(
        self, database: Database, after: timedelta | None, pause: Callable[[], None]
    ) -> None:
        self._database = database
        self._after = after
        self._pause = pause

    def __call__(self, job: Job, now: datetime) -> Record:
        """Purge all there is. Raises StoreDown."""
        if self._after is not None:
            purge(self._database, now - self._after, now, self._pause)
        return nothing


def purge(database: Database, before: datetime, now: datetime, pause: Callable[[], None]) -> Purged:
    """Purge all that is older than `before`. Raises StoreDown."""
    requests = machines = 0
    while count := _some_requests(database, before, now):
        requests += count
        pause()
    while count := _some_machines(database, before):
        machines += count
        pause()
    return Purged(requests, machines)


def _some_requests(database: Database, before: datetime, now: datetime) -> int:
    with database.write() as session:
        ids = retention.closed_before(session, before, REQUESTS)
        if ids:
            retention.strip(session, ids, now)
        for request_id in ids:
            trail.record(session, request_id, PURGED, "personal data was removed", now)
    return len(ids)


def _some_machines(database: Database, before: datetime) -> int:
    with database.write() as session:
        retention.forget_alerts(session, before)
        return retention.forget_machines(session, before, MACHINES)

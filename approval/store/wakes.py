"""Wakes: what changed and an engine outside the gate has to be told of.

A wake is written in the transaction of the change, and handed over by a relay. There is one
for each owner of jobs (see `jobs.owner_of`), however often it changes in the meantime.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from approval.store.jobs import ROUNDS, Kind, Lane
from approval.store.session import Session
from approval.store.statements import insert_into, new_id
from approval.store.tables import JOBS, REQUESTS, WAKES

# Built once: building a statement costs more than running it.
_waiting = sa.select(WAKES).order_by(WAKES.c.made_at).limit(sa.bindparam("most"))
_done = sa.delete(WAKES).where(
    WAKES.c.owner == sa.bindparam("of"), WAKES.c.sequence == sa.bindparam("up_to")
)
_oldest = sa.select(sa.func.count(), sa.func.min(WAKES.c.made_at))
_unparked = JOBS.c.parked_at.is_(None)
_owner = sa.func.coalesce(JOBS.c.request_id, JOBS.c.kind)
_overdue = (
    sa.select(_owner)
    .where(
        _unparked,
        JOBS.c.lane.in_(list(Lane)),
        JOBS.c.kind.not_in(ROUNDS),
        JOBS.c.due < sa.bindparam("before", type_=JOBS.c.due.type),
        _owner.not_in(sa.bindparam("found", expanding=True)),
    )
    .limit(sa.bindparam("most"))
)
_open_requests = sa.select(REQUESTS.c.id).where(REQUESTS.c.closed_at.is_(None))
_with_jobs = sa.select(JOBS.c.request_id).where(_unparked, JOBS.c.request_id.is_not(None))
_alerts = sa.select(JOBS.c.kind).where(_unparked, JOBS.c.kind == Kind.ALERT)
_unfinished = sa.union(_open_requests, _with_jobs, _alerts)


@dataclass(frozen=True)
class Wake:
    """That something of an owner changed; another change has another `sequence`."""

    owner: str
    sequence: str
    made_at: datetime


@dataclass(frozen=True)
class Backlog:
    """How many wakes wait to be handed over, and since when the oldest."""

    waiting: int
    oldest: datetime | None


@cache
def _add(dialect: str) -> Any:
    """The statement that adds a wake; one that waits keeps its age."""
    insert = insert_into(dialect, WAKES)
    return insert.on_conflict_do_update(
        index_elements=["owner"], set_={"sequence": insert.excluded.sequence}
    )


def add(session: Session, changed: Mapping[str, datetime]) -> None:
    """Wake these owners, each because of a change at its time."""
    rows = [
        # In order, so that two who wake the same owners do not wait for each other for ever.
        {"owner": owner, "sequence": new_id(at), "made_at": at}
        for owner, at in sorted(changed.items())
    ]
    if rows:
        session.execute(_add(session.dialect), rows)


def waiting(session: Session, most: int) -> list[Wake]:
    """Wakes to hand over, the oldest first."""
    return [Wake(*row) for row in session.execute(_waiting, {"most": most})]


def done(session: Session, handed_over: Iterable[Wake]) -> None:
    """Drop wakes that were handed over, but for those that changed again meanwhile."""
    rows = [
        {"of": wake.owner, "up_to": wake.sequence}
        for wake in sorted(handed_over, key=lambda wake: wake.owner)
    ]
    if rows:
        session.execute(_done, rows)


def overdue(session: Session, before: datetime, most: int) -> set[str]:
    """At most so many owners of jobs that should have been run before, and that nobody works on.

    An owner may have any number of them; sorting them out in the query would read them all.
    """
    found: set[str] = set()
    while room := most - len(found):
        # No owner is called "": PostgreSQL and SQLite read more where the list is empty.
        values = {"before": before, "most": room, "found": ["", *found]}
        more = set(session.scalars(_overdue, values))
        if not more:
            break
        found |= more
    return found


def unfinished(session: Session) -> set[str]:
    """Owners of which something is left to do, now or when people have decided."""
    return set(session.scalars(_unfinished))


def backlog(session: Session) -> Backlog:
    """How far the relay is behind."""
    return Backlog(*session.execute(_oldest).one())

"""Leases: who works on a job, and what only the holder of its lease may write.

A time that is None is the database's own, which is the same for all who share it.
"""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from approval.model import Job
from approval.store import owners
from approval.store.jobs import Lane
from approval.store.session import Session
from approval.store.tables import JOBS

# Longer than a job takes. Where nobody else works it only matters if the store is down for long.
LEASE = timedelta(minutes=20)
# Where others wait for the work of a process that died; it has to be kept while a job runs.
SHORT_LEASE = timedelta(seconds=30)

# Built once: building a statement costs more than running it.
_waiting = JOBS.c.parked_at.is_(None)
_ours = sa.and_(JOBS.c.id == sa.bindparam("job"), JOBS.c.lease == sa.bindparam("holder"))
_next_due = sa.select(sa.func.min(JOBS.c.due)).where(
    _waiting, JOBS.c.lane == sa.bindparam("of_lane")
)
_due_here = _next_due.add_columns(sa.func.now().label("now"))
_drop = sa.delete(JOBS).where(_ours, JOBS.c.run == sa.bindparam("of_run")).returning(JOBS.c.id)
# Those that somebody changes just now are left out: whoever waits for several waits crosswise.
_held = (
    sa.select(JOBS.c.id)
    .where(
        JOBS.c.id.in_(sa.bindparam("jobs", expanding=True)),
        JOBS.c.lease.in_(sa.bindparam("leases", expanding=True)),
    )
    .with_for_update(skip_locked=True)
)
_give_back = (
    sa.update(JOBS)
    .where(JOBS.c.id.in_(_held))
    .values(lease=None, due=sa.bindparam("now", type_=JOBS.c.due.type))
    .returning(JOBS.c.id)
)


@cache
def _claim(whose: sa.ColumnElement[bool] | None, *, here: bool) -> Any:
    """The statement that claims a job; `here`: by the database's own clock."""
    oldest = sa.select(JOBS.c.id).where(
        _waiting, JOBS.c.lane == sa.bindparam("of_lane"), JOBS.c.due <= _now(here)
    )
    if whose is not None:
        oldest = oldest.where(whose)
    oldest = oldest.order_by(JOBS.c.due).limit(1).with_for_update(skip_locked=True)
    return (
        sa.update(JOBS)
        .where(JOBS.c.id == oldest.scalar_subquery())
        .values(due=_until(here), lease=sa.bindparam("new_lease"), attempts=JOBS.c.attempts + 1)
        .returning(JOBS)
    )


@cache
def _keep(*, here: bool) -> Any:
    """The statement that puts off the end of leases."""
    return sa.update(JOBS).where(JOBS.c.id.in_(_held)).values(due=_until(here)).returning(JOBS.c.id)


def _now(here: bool) -> Any:
    return sa.func.now() if here else sa.bindparam("now", type_=JOBS.c.due.type)


def _until(here: bool) -> Any:
    if here:
        # By now, not by when the transaction began, which may have waited for a request.
        return sa.func.clock_timestamp() + sa.bindparam("length", type_=sa.Interval())
    return sa.bindparam("until", type_=JOBS.c.due.type)


def _times(now: datetime | None, length: timedelta) -> dict[str, object]:
    return {"length": length} if now is None else {"now": now, "until": now + length}


def now(session: Session) -> datetime:
    """The database's own time."""
    at: datetime = session.execute(sa.select(sa.func.now())).scalar_one()
    return at


def next_due(session: Session, lane: Lane) -> datetime | None:
    """When the lane's next job is due."""
    due: datetime | None = session.scalar(_next_due, {"of_lane": lane})
    return due


def due_in(session: Session, lane: Lane, now: datetime | None) -> timedelta | None:
    """How long it is until the lane's next job is due; negative if it is late."""
    if now is not None:
        due = next_due(session, lane)
        return due - now if due else None
    row = session.execute(_due_here, {"of_lane": lane}).one()
    return row[0] - row.now if row[0] else None


def claim(
    session: Session,
    lane: Lane,
    now: datetime | None,
    owner: str | None = None,
    length: timedelta = LEASE,
) -> Job | None:
    """Take the lane's longest due job, of one owner or of any, under a new lease."""
    values = {"of_lane": lane, "new_lease": uuid.uuid4().hex} | _times(now, length)
    whose = None if owner is None else owners.whose(owner)
    if owner is not None:
        values["owner"] = owner
    row = session.execute(_claim(whose, here=now is None), values).first()
    if row is None:
        return None
    return Job(
        id=row.id,
        kind=row.kind,
        subject=row.subject,
        request_id=row.request_id,
        lease=row.lease,
        attempts=row.attempts,
        run=row.run,
        made_at=row.made_at,
        error=row.error,
        awaits=row.awaits,
        awaits_since=row.awaits_since,
    )


UNTRIED = {"attempts": 0, "error": None, "awaits": None, "awaits_since": None}


def finish(session: Session, job: Job, now: datetime) -> bool:
    """Drop a done job, or make it due again if it was renewed; False if it is not ours."""
    done = session.scalar(_drop, {"job": job.id, "holder": job.lease, "of_run": job.run})
    return done is not None or _let_go(session, job, due=now, **UNTRIED)


def repeat(session: Session, job: Job, due: datetime, now: datetime) -> bool:
    """Make a done job due again, as if it was promised then; False if it is not ours any more.

    If it was renewed meanwhile it is due again at once.
    """
    due_again = sa.case((JOBS.c.run == job.run, sa.literal(due, JOBS.c.due.type)), else_=now)
    anew = {"run": JOBS.c.run + 1, "made_at": due_again}
    return _let_go(session, job, due=due_again, **anew, **UNTRIED)


def postpone(
    session: Session,
    job: Job,
    due: datetime,
    error: str,
    awaits: str | None = None,
    since: datetime | None = None,
) -> bool:
    """Leave the job alone until `due`; False if it is not ours any more.

    `awaits`: what was not there yet, since when.
    """
    return _let_go(session, job, due=due, error=error, awaits=awaits, awaits_since=since)


def park(session: Session, job: Job, now: datetime, error: str) -> bool:
    """Set the job aside until an operator takes it up; False if it is not ours any more.

    If it was renewed meanwhile it is due again instead: it was given up for a world that is gone.
    """
    as_it_was = JOBS.c.run == job.run
    parked = sa.case((as_it_was, sa.literal(now, JOBS.c.parked_at.type)))
    return _let_go(
        session, job, parked_at=parked, due=sa.case((as_it_was, JOBS.c.due), else_=now), error=error
    )


def keep(session: Session, held: Collection[Job], now: datetime | None, length: timedelta) -> int:
    """Hold these jobs for longer. Returns how many; others are lost, or changed just now."""
    kept = session.scalars(_keep(here=now is None), _named(held) | _times(now, length))
    return len(kept.all())


def give_back(session: Session, held: Collection[Job], now: datetime) -> int:
    """Make these jobs due at once, as we end. Returns how many were still ours."""
    given = session.scalars(_give_back, _named(held) | {"now": now})
    return len(given.all())


def _named(held: Collection[Job]) -> dict[str, object]:
    return {"jobs": [job.id for job in held], "leases": [job.lease for job in held]}


def hand_back(session: Session, now: datetime) -> int:
    """Make all leased jobs due at once: whoever held them is gone. Returns how many."""
    orphans = session.scalars(
        sa.update(JOBS)
        .where(JOBS.c.lease.is_not(None))
        .values(lease=None, due=now)
        .returning(JOBS.c.id)
    )
    return len(orphans.all())


def _let_go(session: Session, job: Job, **values: object) -> bool:
    """Change the job and end the lease, if it is still ours."""
    anew = {"lease": None, "awaits": None, "awaits_since": None}
    statement = sa.update(JOBS).where(_ours).values(anew | values).returning(JOBS.c.id)
    return session.scalar(statement, {"job": job.id, "holder": job.lease}) is not None

"""Leases: who works on a job, and what only the holder of its lease may write."""

import uuid
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import orm

from approval.model import Job
from approval.store.jobs import Lane
from approval.store.tables import JOBS

LEASE = timedelta(minutes=20)  # longer than a job takes; what a store that is down can delay

# Built once: building a statement costs more than running it.
_waiting = JOBS.c.parked_at.is_(None)
_ours = sa.and_(JOBS.c.id == sa.bindparam("job"), JOBS.c.lease == sa.bindparam("holder"))
_next_due = sa.select(sa.func.min(JOBS.c.due)).where(
    _waiting, JOBS.c.lane == sa.bindparam("of_lane")
)
_oldest = (
    sa.select(JOBS.c.id)
    .where(_waiting, JOBS.c.lane == sa.bindparam("of_lane"), JOBS.c.due <= sa.bindparam("now"))
    .order_by(JOBS.c.due)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_oldest_of = _oldest.where(JOBS.c.request_id == sa.bindparam("of_request"))
_claim, _claim_of = (
    sa.update(JOBS)
    .where(JOBS.c.id == oldest.scalar_subquery())
    .values(
        due=sa.bindparam("until"), lease=sa.bindparam("new_lease"), attempts=JOBS.c.attempts + 1
    )
    .returning(JOBS)
    for oldest in (_oldest, _oldest_of)
)
_drop = sa.delete(JOBS).where(_ours, JOBS.c.run == sa.bindparam("of_run")).returning(JOBS.c.id)


def next_due(session: orm.Session, lane: Lane) -> datetime | None:
    """When the lane's next job is due."""
    due: datetime | None = session.scalar(_next_due, {"of_lane": lane})
    return due


def next_due_of(session: orm.Session, request_id: str) -> datetime | None:
    """When the next job of a request is due."""
    query = sa.select(sa.func.min(JOBS.c.due)).where(_waiting, JOBS.c.request_id == request_id)
    due: datetime | None = session.scalar(query)
    return due


def claim(
    session: orm.Session, lane: Lane, now: datetime, request_id: str | None = None
) -> Job | None:
    """Take the lane's longest due job, of one request or of any, under a new lease."""
    values = {
        "of_lane": lane,
        "now": now,
        "until": now + LEASE,
        "new_lease": uuid.uuid4().hex,
    }
    if request_id is None:
        row = session.execute(_claim, values).first()
    else:
        row = session.execute(_claim_of, values | {"of_request": request_id}).first()
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


def finish(session: orm.Session, job: Job, now: datetime) -> bool:
    """Drop a done job, or make it due again if it was renewed; False if it is not ours."""
    done = session.scalar(_drop, {"job": job.id, "holder": job.lease, "of_run": job.run})
    return done is not None or _let_go(session, job, due=now, **UNTRIED)


def repeat(session: orm.Session, job: Job, due: datetime, now: datetime) -> bool:
    """Make a done job due again, as if it was promised then; False if it is not ours any more.

    If it was renewed meanwhile it is due again at once.
    """
    due_again = sa.case((JOBS.c.run == job.run, sa.literal(due, JOBS.c.due.type)), else_=now)
    anew = {"run": JOBS.c.run + 1, "made_at": due_again}
    return _let_go(session, job, due=due_again, **anew, **UNTRIED)


def postpone(
    session: orm.Session,
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


def park(session: orm.Session, job: Job, now: datetime, error: str) -> bool:
    """Set the job aside until an operator takes it up; False if it is not ours any more.

    If it was renewed meanwhile it is due again instead: it was given up for a world that is gone.
    """
    as_it_was = JOBS.c.run == job.run
    parked = sa.case((as_it_was, sa.literal(now, JOBS.c.parked_at.type)))
    return _let_go(
        session, job, parked_at=parked, due=sa.case((as_it_was, JOBS.c.due), else_=now), error=error
    )


def hand_back(session: orm.Session, now: datetime) -> int:
    """Make all leased jobs due at once: whoever held them is gone. Returns how many."""
    orphans = session.scalars(
        sa.update(JOBS)
        .where(JOBS.c.lease.is_not(None))
        .values(lease=None, due=now)
        .returning(JOBS.c.id)
    )
    return len(orphans.all())


def _let_go(session: orm.Session, job: Job, **values: object) -> bool:
    """Change the job and end the lease, if it is still ours."""
    anew = {"lease": None, "awaits": None, "awaits_since": None}
    statement = sa.update(JOBS).where(_ours).values(anew | values).returning(JOBS.c.id)
    return session.scalar(statement, {"job": job.id, "holder": job.lease}) is not None

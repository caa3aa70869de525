"""Jobs: promises to act, kept until they are done, and the queries to claim and settle them."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql, sqlite

from approval.model import Job
from approval.store.tables import JobRow

LEASE = timedelta(minutes=10)  # longer than any job may take, outside calls and all


class Lane(StrEnum):
    """Who waits at the other end; each lane has its own threads, so a slow one delays no other."""

    RELEASE = "release"  # the platform, told of decisions: always at once
    CONSIDER = "consider"  # the platform, asked about new tasks
    MAIL = "mail"


class Kind(StrEnum):
    """What a job does; its subject is the id of a request, a task, an approver or an alert."""

    CONSIDER = "consider"  # a request: look, describe, find whom to ask
    ASK = "ask"  # an approver: mail the links
    RELEASE = "release"  # a task: tell the platform
    OUTCOME = "outcome"  # a request: tell the requester
    NOTE = "note"  # an approver: tell that it was decided
    ALERT = "alert"  # an alert: tell the operator


LANES = {
    Kind.CONSIDER: Lane.CONSIDER,
    Kind.RELEASE: Lane.RELEASE,
    Kind.ASK: Lane.MAIL,
    Kind.OUTCOME: Lane.MAIL,
    Kind.NOTE: Lane.MAIL,
    Kind.ALERT: Lane.MAIL,
}
# Both speak ON CONFLICT, each through its own dialect.
_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_waiting = JobRow.parked_at.is_(None)


def add(
    session: orm.Session,
    kind: Kind,
    subject: object,
    request_id: str | None,
    now: datetime,
    due: datetime | None = None,
) -> None:
    """Promise to act, at `due` or now. Once promised is enough: a repeat renews what stands.

    A renewed job runs again even if it is running at this moment: the world has changed
    since it began.
    """
    dialect = session.get_bind().dialect.name
    insert: Any = _INSERTS[dialect](JobRow.__table__)
    renewed = {
        "run": JobRow.run + 1,
        "due": sa.case((JobRow.lease.is_(None), insert.excluded.due), else_=JobRow.due),
        "made_at": insert.excluded.made_at,
        "attempts": 0,
        "parked_at": None,
    }
    statement = insert.on_conflict_do_update(index_elements=["kind", "subject"], set_=renewed)
    session.execute(
        statement,
        {
            "id": uuid.uuid4().hex,
            "kind": kind,
            "subject": str(subject),
            "request_id": request_id,
            "lane": LANES[kind],
            "made_at": now,
            "due": due or now,
            "attempts": 0,
            "run": 0,
        },
    )
    session.info.setdefault("lanes", []).append(LANES[kind])


def next_due(session: orm.Session, lane: Lane) -> datetime | None:
    """When the lane's next job is due."""
    return session.scalar(sa.select(sa.func.min(JobRow.due)).where(_waiting, JobRow.lane == lane))


def next_due_of(session: orm.Session, request_id: str) -> datetime | None:
    """When the next job of a request is due."""
    query = sa.select(sa.func.min(JobRow.due)).where(_waiting, JobRow.request_id == request_id)
    return session.scalar(query)


def claim(
    session: orm.Session, lane: Lane, now: datetime, request_id: str | None = None
) -> Job | None:
    """Take the lane's longest due job, of one request or of any, under a new lease."""
    oldest = (
        sa.select(JobRow.id)
        .where(_waiting, JobRow.lane == lane, JobRow.due <= now)
        .order_by(JobRow.due)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if request_id is not None:
        oldest = oldest.where(JobRow.request_id == request_id)
    row = session.execute(
        sa.update(JobRow)
        .where(JobRow.id == oldest.scalar_subquery())
        .values(due=now + LEASE, lease=uuid.uuid4().hex, attempts=JobRow.attempts + 1)
        .returning(*JobRow.__table__.columns)
        .execution_options(synchronize_session=False)
    ).first()
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
    )


def _settle(session: orm.Session, job: Job, **values: object) -> bool:
    """Change the job if the lease is still ours."""
    changed = session.scalar(
        sa.update(JobRow)
        .where(JobRow.id == job.id, JobRow.lease == job.lease)
        .values(lease=None, **values)
        .returning(JobRow.run)
        .execution_options(synchronize_session=False)
    )
    return changed is not None


def finish(session: orm.Session, job: Job, now: datetime) -> bool:
    """Drop a done job, or make it due again if it was renewed; False if it is not ours."""
    done = session.scalar(
        sa.delete(JobRow)
        .where(JobRow.id == job.id, JobRow.lease == job.lease, JobRow.run == job.run)
        .returning(JobRow.id)
        .execution_options(synchronize_session=False)
    )
    return done is not None or _settle(session, job, due=now, attempts=0)


def postpone(session: orm.Session, job: Job, due: datetime, error: str) -> bool:
    """Leave the job alone until `due`; False if it is not ours any more."""
    return _settle(session, job, due=due, error=error)


def park(session: orm.Session, job: Job, now: datetime, error: str) -> bool:
    """Set the job aside until an operator takes it up; False if it is not ours any more."""
    return _settle(session, job, parked_at=now, error=error)


def hand_back(session: orm.Session, now: datetime) -> int:
    """Make all leased jobs due at once: whoever held them is gone. Returns how many."""
    orphans = session.scalars(
        sa.update(JobRow)
        .where(JobRow.lease.is_not(None))
        .values(lease=None, due=now)
        .returning(JobRow.id)
        .execution_options(synchronize_session=False)
    )
    return len(orphans.all())


def take_up(
    session: orm.Session, kinds: Iterable[Kind], subjects: Iterable[str] | None, now: datetime
) -> list[JobRow]:
    """Make parked jobs due again, all or those of the subjects; returns them."""
    query = sa.select(JobRow).where(JobRow.parked_at.is_not(None), JobRow.kind.in_(list(kinds)))
    if subjects is not None:
        query = query.where(JobRow.subject.in_(list(subjects)))
    rows = list(session.scalars(query))
    for row in rows:
        row.parked_at, row.due, row.made_at = None, now, now
        row.attempts, row.run, row.error = 0, row.run + 1, None
        session.info.setdefault("lanes", []).append(row.lane)
    return rows


@dataclass(frozen=True)
class Backlog:
    """How many jobs of a kind wait and since when the oldest, and how many are parked."""

    kind: str
    waiting: int
    oldest: datetime | None
    parked: int


def backlog(session: orm.Session) -> list[Backlog]:
    """The jobs that are not done, by kind."""
    parked = sa.func.count(JobRow.parked_at)
    rows = session.execute(
        sa.select(
            JobRow.kind, sa.func.count() - parked, sa.func.min(JobRow.made_at), parked
        ).group_by(JobRow.kind)
    )
    return [Backlog(*row) for row in rows]

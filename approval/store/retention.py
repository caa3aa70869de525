"""Retention: find what is old enough, and drop the personal data in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from approval.model import Delivery, HeldTask
from approval.store.jobs import Kind
from approval.store.session import Session
from approval.store.tables import (
    ALERTS,
    APPROVERS,
    EVENTS,
    JOBS,
    MACHINES,
    REQUESTS,
    TASKS,
    VOTES,
)

ENDED = (Delivery.DELIVERED, Delivery.OVERTAKEN)
_undelivered = sa.and_(TASKS.c.delivery.is_not(None), TASKS.c.delivery.not_in(ENDED))
_unfinished = JOBS.c.parked_at.is_(None)
# Not EXISTS: where much is old, PostgreSQL would read all tasks for each batch of a few.
_kept = sa.or_(
    *(
        kept.limit(1).scalar_subquery().is_not(None)
        for kept in (
            sa.select(TASKS.c.id).where(TASKS.c.request_id == REQUESTS.c.id, _undelivered),
            sa.select(JOBS.c.id).where(JOBS.c.request_id == REQUESTS.c.id, _unfinished),
        )
    )
)
# To count them, one look at all that is unfinished, and not one for each request.
_all_kept = sa.union(
    sa.select(TASKS.c.request_id).where(_undelivered),
    sa.select(JOBS.c.request_id).where(JOBS.c.request_id.is_not(None), _unfinished),
)


@dataclass(frozen=True)
class Due:
    """What is older than the retention; `kept` are requests that must wait for their delivery."""

    requests: int
    kept: int
    machines: int


def due(session: Session, before: datetime) -> Due:
    """Count what is older than `before`."""
    closed = session.scalar(sa.select(sa.func.count()).where(_closed(before))) or 0
    kept = session.scalar(
        sa.select(sa.func.count()).where(_closed(before), REQUESTS.c.id.in_(_all_kept))
    )
    machines = session.scalar(
        sa.select(sa.func.count()).select_from(MACHINES).where(MACHINES.c.seen_at < before)
    )
    return Due(closed - (kept or 0), kept or 0, machines or 0)


def closed_before(session: Session, before: datetime, limit: int) -> Sequence[str]:
    """Requests that nobody waits for any more and that closed before, the oldest first."""
    query = (
        sa.select(REQUESTS.c.id)
        .where(_closed(before), sa.not_(_kept))
        .order_by(REQUESTS.c.closed_at)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True, of=REQUESTS)
    )
    return session.scalars(query).all()


def _closed(before: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        REQUESTS.c.closed_at.is_not(None),
        REQUESTS.c.purged_at.is_(None),
        REQUESTS.c.closed_at < before,
    )


def strip(session: Session, ids: Sequence[str], now: datetime) -> None:
    """Drop who and what the requests were about; ids, states, times and the chain stay."""
    tasks = session.execute(
        sa.select(TASKS.c.id, TASKS.c.held).where(TASKS.c.request_id.in_(ids))
    ).all()
    session.execute(
        sa.update(TASKS)
        .where(TASKS.c.id == sa.bindparam("of"))
        .values(
            held=sa.bindparam("bare"),
            decided_by=None,
            reason=None,
            delivery_note=None,
            machine=None,
            previous=None,
        ),
        [
            {"of": task.id, "bare": HeldTask(id=task.held.id, type=task.held.type, links={})}
            for task in tasks
        ],
    )
    of_tasks = VOTES.c.task_id.in_([task.id for task in tasks])
    session.execute(sa.update(VOTES).where(of_tasks).values(comment=""))
    blank = {"person_key": "", "name": "", "address": "", "thread": None}
    session.execute(sa.update(APPROVERS).where(APPROVERS.c.request_id.in_(ids)).values(blank))
    bare = {"payload": b"", "requester": None, "missing": (), "purged_at": now}
    session.execute(sa.update(REQUESTS).where(REQUESTS.c.id.in_(ids)).values(bare))
    session.execute(
        sa.update(EVENTS).where(EVENTS.c.request_id.in_(ids)).values(text=None, salt=None)
    )
    # Only parked ones are left: mails that never got through, to people who are not known now.
    session.execute(sa.delete(JOBS).where(JOBS.c.request_id.in_(ids)))


def forget_machines(session: Session, before: datetime, limit: int) -> int:
    """Drop what the gate last knew of machines that it has not met since; returns how many."""
    keys = sa.select(MACHINES.c.platform, MACHINES.c.key).where(MACHINES.c.seen_at < before)
    gone = session.execute(
        sa.delete(MACHINES)
        .where(sa.tuple_(MACHINES.c.platform, MACHINES.c.key).in_(keys.limit(limit)))
        .returning(MACHINES.c.key)
    )
    return len(gone.all())


def forget_alerts(session: Session, before: datetime) -> None:
    """Drop troubles that were told long ago; there is one row for each kind of trouble."""
    to_tell = sa.exists().where(JOBS.c.kind == Kind.ALERT, JOBS.c.subject == ALERTS.c.key)
    session.execute(sa.delete(ALERTS).where(ALERTS.c.noted_at < before, sa.not_(to_tell)))

"""What is pending: how much there is, and until when it may stay so."""

from datetime import datetime

import sqlalchemy as sa

from approval.model import TaskState
from approval.store.session import Session
from approval.store.tables import REQUESTS, TASKS

# Built once: building a statement costs more than running it.
_is_open = sa.select(REQUESTS.c.id).where(
    REQUESTS.c.id == sa.bindparam("request"), REQUESTS.c.closed_at.is_(None)
)
_at = sa.bindparam("at", type_=REQUESTS.c.decline_at.type)
_decline_at = (
    sa.update(REQUESTS)
    .where(REQUESTS.c.id == sa.bindparam("request"))
    .values(decline_at=sa.case((REQUESTS.c.decline_at > _at, REQUESTS.c.decline_at), else_=_at))
)
_never_decline = (
    sa.update(REQUESTS)
    .where(REQUESTS.c.closed_at.is_(None), REQUESTS.c.decline_at.is_not(None))
    .values(decline_at=None)
    .returning(REQUESTS.c.id)
)
# By the open requests, for which there is an index: one of pending tasks would cost each callback.
_open = sa.select(REQUESTS.c.id).where(REQUESTS.c.closed_at.is_(None))
_count_open = sa.select(sa.func.count()).select_from(_open.subquery())
_count = sa.select(sa.func.count()).where(
    TASKS.c.request_id.in_(_open), TASKS.c.state == TaskState.PENDING
)


def is_open(session: Session, request_id: str) -> bool:
    """Whether anything of the request is pending."""
    return session.scalar(_is_open, {"request": request_id}) is not None


def decline_at(session: Session, request_id: str, at: datetime) -> None:
    """Have the request declined at that time; of two times the later one counts.

    Two mails may leave at once, and none must name a time that is too late.
    """
    session.execute(_decline_at, {"request": request_id, "at": at})


def never_decline(session: Session) -> int:
    """Let all open requests stay pending however long it takes; returns how many were not to."""
    return len(session.scalars(_never_decline).all())


def count_open(session: Session) -> int:
    """How many requests are open."""
    return session.scalar(_count_open) or 0


def count(session: Session) -> int:
    """How many tasks are pending; takes a millisecond for each thousand."""
    return session.scalar(_count) or 0

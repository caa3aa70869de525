"""What is pending, and until when it may stay so."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm

from approval.store.tables import REQUESTS

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


def is_open(session: orm.Session, request_id: str) -> bool:
    """Whether anything of the request is pending."""
    return session.scalar(_is_open, {"request": request_id}) is not None


def decline_at(session: orm.Session, request_id: str, at: datetime) -> None:
    """Have the request declined at that time; of two times the later one counts.

    Two mails may leave at once, and none must name a time that is too late.
    """
    session.execute(_decline_at, {"request": request_id, "at": at})


def never_decline(session: orm.Session) -> int:
    """Let all open requests stay pending however long it takes; returns how many were not to."""
    return len(session.scalars(_never_decline).all())

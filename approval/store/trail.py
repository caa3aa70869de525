"""The audit trail: what happened to a request, in order."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm

from approval.store.tables import EVENTS, EventRow

_add = sa.insert(EVENTS)


def record(
    session: orm.Session,
    request_id: str,
    kind: str,
    text: str,
    now: datetime,
    task_id: int | None = None,
) -> None:
    """Add one event. Rows of the trail are never changed."""
    session.execute(
        _add,
        {"request_id": request_id, "task_id": task_id, "at": now, "kind": kind, "text": text},
    )


def kinds(session: orm.Session, request_id: str) -> list[str]:
    """The kinds of a request's events in the order in which they happened."""
    query = sa.select(EventRow.kind).filter_by(request_id=request_id).order_by(EventRow.id)
    return list(session.scalars(query))

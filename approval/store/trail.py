"""The audit trail: what happened to a request, in order."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm

from approval.store.tables import EventRow


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
        sa.insert(EventRow.__table__),  # type: ignore[arg-type] # a table is what insert() takes
        {"request_id": request_id, "task_id": task_id, "at": now, "kind": kind, "text": text},
    )


def kinds(session: orm.Session, request_id: str) -> list[str]:
    """The kinds of a request's events in the order in which they happened."""
    query = sa.select(EventRow.kind).filter_by(request_id=request_id).order_by(EventRow.id)
    return list(session.scalars(query))

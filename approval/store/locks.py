"""Locks: whoever writes about a request holds its row first, so that no two wait for each other."""

import sqlalchemy as sa

from approval.store.session import Session
from approval.store.tables import REQUESTS

# Built once: building a statement costs more than running it.
_hold = (
    sa.select(REQUESTS.c.id)
    .where(REQUESTS.c.id == sa.bindparam("request"))
    .with_for_update(key_share=True)  # rows that only refer to it can be added meanwhile
)


def hold(session: Session, *request_ids: str) -> None:
    """Wait until nobody else writes about these requests; they may be held by us already.

    With SQLite nobody does, as it has one writer.
    """
    if session.dialect != "sqlite":
        for request_id in sorted(set(request_ids)):
            session.execute(_hold, {"request": request_id})

"""Signing: which key signed the links of mails, and since when; keys are known by their marks."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from approval.store.session import Session
from approval.store.statements import insert_into
from approval.store.tables import APPROVERS, REQUESTS, SIGNING

# Built once: building a statement costs more than running it.
_history = sa.select(SIGNING.c.mark, SIGNING.c.since).order_by(SIGNING.c.since)


def signer(session: Session) -> str | None:
    """The mark of the key that signs; None before the first gate has started."""
    marks = [row.mark for row in session.execute(_history)]
    return marks[-1] if marks else None


def sign_with(session: Session, mark: str, now: datetime) -> None:
    """Note which key signs from now on."""
    insert = insert_into(session.dialect, SIGNING).on_conflict_do_nothing()
    session.execute(insert, {"since": now, "mark": mark})


def count_strange(session: Session, marks: Collection[str]) -> int:
    """How many open requests have somebody whose last mail none of these keys has signed.

    What was mailed before any key was noted counts as signed by the first one.
    """
    rows = session.execute(_history).all()
    ends = [*(row.since for row in rows[1:]), None]
    sent = APPROVERS.c.mailed_at
    unknown = [
        sa.and_(
            sent >= begun.since if begun is not rows[0] else sent.is_not(None),
            sent < ended if ended else sa.true(),
        )
        for begun, ended in zip(rows, ends, strict=False)
        if begun.mark not in marks
    ]
    if not unknown:
        return 0
    asked = sa.exists().where(APPROVERS.c.request_id == REQUESTS.c.id, sa.or_(*unknown))
    counted = sa.select(sa.func.count()).where(REQUESTS.c.closed_at.is_(None), asked)
    return session.scalar(counted.select_from(REQUESTS)) or 0

"""Who holds links: withdraw them, renew them, count the codes that were typed wrong."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from approval.model import CODE_TRIES, Approver
from approval.store.people import approver_of
from approval.store.session import Session
from approval.store.tables import APPROVERS, REQUESTS, TIME

_wrong_code = (
    sa.update(APPROVERS)
    .where(APPROVERS.c.id == sa.bindparam("approver"), APPROVERS.c.wrong_codes < CODE_TRIES)
    .values(wrong_codes=APPROVERS.c.wrong_codes + 1)
    .returning(APPROVERS.c.wrong_codes)
)
_renewed = (
    sa.update(APPROVERS)
    .where(
        APPROVERS.c.id == sa.bindparam("approver"),
        sa.or_(
            APPROVERS.c.renewed_at.is_(None),
            APPROVERS.c.renewed_at <= sa.bindparam("before", type_=TIME),
        ),
    )
    .values(renewed_at=sa.bindparam("at", type_=TIME))
    .returning(APPROVERS.c.id)
)
_renewals = sa.select(sa.func.count()).where(
    APPROVERS.c.renewed_at > sa.bindparam("since", type_=TIME)
)


def find(session: Session, request_id: str | None, address: str | None) -> list[Approver]:
    """Those asked in a request, or at an address in all open requests, or both.

    For an address it reads the approvers of whatever is open, for addresses are written in any
    case; never those of the past, while others wait for their turn to write.
    """
    query = sa.select(APPROVERS)
    if request_id is not None:
        query = query.where(APPROVERS.c.request_id == request_id)
    else:
        still_open = sa.select(REQUESTS.c.id).where(REQUESTS.c.closed_at.is_(None))
        query = query.where(APPROVERS.c.request_id.in_(still_open))
    if address is not None:
        query = query.where(sa.func.lower(APPROVERS.c.address) == address.lower())
    return sorted((approver_of(row) for row in session.execute(query)), key=lambda one: one.id)


def revoke(session: Session, approver_ids: Iterable[int], now: datetime) -> None:
    """Withdraw all links of these approvers."""
    _update(session, approver_ids, revoked_at=now)


def lift(session: Session, approver_ids: Iterable[int]) -> None:
    """Let links of these approvers decide again, with all tries for their code."""
    _update(session, approver_ids, revoked_at=None, wrong_codes=0)


def _update(session: Session, approver_ids: Iterable[int], **values: object) -> None:
    chosen = APPROVERS.c.id.in_(list(approver_ids))
    session.execute(sa.update(APPROVERS).where(chosen).values(**values))


def count_wrong_code(session: Session, approver_id: int) -> int | None:
    """Count a wrong code; returns how many there are now, None if the links were locked before.

    One conditional update: tries at the same time cannot be more than the limit.
    """
    wrong: int | None = session.scalar(_wrong_code, {"approver": approver_id})
    return wrong


def renew(session: Session, approver_id: int, now: datetime, before: datetime) -> bool:
    """Note that fresh links are mailed; False if they were already since `before`."""
    values = {"approver": approver_id, "at": now, "before": before}
    return session.scalar(_renewed, values) is not None


def renewals(session: Session, since: datetime) -> int:
    """How many approvers were promised fresh links since then."""
    return session.scalar(_renewals, {"since": since}) or 0

"""Who holds links: withdraw them, renew them, count the codes that were typed wrong."""

from collections.abc import Collection, Iterable
from datetime import datetime

import sqlalchemy as sa

from approval.model import CODE_TRIES, Approver, MailState
from approval.store.people import CAN_DECIDE, approver_of
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
_asked = APPROVERS.c.request_id == REQUESTS.c.id
_left_alone = (
    sa.select(REQUESTS.c.id)
    .where(
        REQUESTS.c.closed_at.is_(None),
        sa.exists().where(_asked),
        ~sa.exists().where(_asked, APPROVERS.c.mail != MailState.REFUSED, CAN_DECIDE),
    )
    .order_by(REQUESTS.c.received_at.desc(), REQUESTS.c.id.desc())
)
_is_left_alone = _left_alone.where(REQUESTS.c.id == sa.bindparam("request"))


def count_strange(session: Session, marks: Collection[str]) -> int:
    """How many open requests have links in mails that none of the keys of these marks signed.

    Those of people who cannot decide do not count, nor older mails than each one's last.
    """
    strange = APPROVERS.c.signed_by.is_not(None) & APPROVERS.c.signed_by.not_in(list(marks))
    asked = sa.exists().where(_asked, strange, CAN_DECIDE)
    counted = sa.select(sa.func.count()).where(REQUESTS.c.closed_at.is_(None), asked)
    return session.scalar(counted.select_from(REQUESTS)) or 0


def open_requests(session: Session, address: str | None = None) -> list[str]:
    """The open requests, or those in which somebody at this address is asked, the oldest first.

    Addresses are written in any case, so it reads the approvers of whatever is open.
    """
    found = sa.select(REQUESTS.c.id).where(REQUESTS.c.closed_at.is_(None))
    if address is not None:
        found = found.where(sa.exists().where(_asked, _is(address)))
    return list(session.scalars(found.order_by(REQUESTS.c.received_at, REQUESTS.c.id)))


def find(
    session: Session, request_ids: Collection[str], address: str | None = None
) -> list[Approver]:
    """Those asked in these requests, all or those at an address."""
    query = sa.select(APPROVERS).where(APPROVERS.c.request_id.in_(list(request_ids)))
    if address is not None:
        query = query.where(_is(address))
    return [approver_of(row) for row in session.execute(query.order_by(APPROVERS.c.id))]


def _is(address: str) -> sa.ColumnElement[bool]:
    return sa.func.lower(APPROVERS.c.address) == address.lower()


def left_alone(session: Session) -> list[str]:
    """The open requests in which nobody who was asked can decide any more, the newest first."""
    return list(session.scalars(_left_alone))


def is_left_alone(session: Session, request_id: str) -> bool:
    """Whether a request is one of them."""
    return session.scalar(_is_left_alone, {"request": request_id}) is not None


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

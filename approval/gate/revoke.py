"""Revoke links: an operator ends what a person's links can decide, or lets them decide again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import orm

from approval.gate.trouble import alert_if_nobody_is_left
from approval.model import Approver, MailState
from approval.store import holders, jobs, locks, trail


def revoke(
    session: orm.Session, request_id: str | None, address: str | None, now: datetime
) -> list[Approver]:
    """Withdraw the links of a request, of a person's open requests, or of both; returns whose."""
    found = [one for one in _find(session, request_id, address) if not one.revoked]
    holders.revoke(session, [one.id for one in found], now)
    _record(session, found, "links revoked", now)
    alert_if_nobody_is_left(session, [one.request_id for one in found], now)
    return found


def lift(
    session: orm.Session, request_id: str | None, address: str | None, now: datetime
) -> list[Approver]:
    """Let links that were withdrawn or locked decide again; returns whose.

    Whoever was not mailed yet is mailed now.
    """
    found = [one for one in _find(session, request_id, address) if not one.can_decide]
    holders.lift(session, [one.id for one in found])
    _record(session, found, "links restored", now)
    for approver in found:
        if approver.mail is MailState.WAITING:
            jobs.add(session, jobs.Kind.ASK, approver.id, approver.request_id, now, renew=False)
    return found


def _find(session: orm.Session, request_id: str | None, address: str | None) -> Sequence[Approver]:
    found = holders.find(session, request_id, address)
    locks.hold(session, *(one.request_id for one in found))
    return found


def _record(session: orm.Session, approvers: Sequence[Approver], kind: str, now: datetime) -> None:
    for one in approvers:
        text = f"{one.name} <{one.address}>, by the operator"
        trail.record(session, one.request_id, kind, text, now)

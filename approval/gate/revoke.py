"""Revoke links: an operator ends what a person's links can decide, or lets them decide again."""

from collections.abc import Sequence
from datetime import datetime

from approval.gate.trouble import alert_if_nobody_is_left
from approval.model import Approver, MailState
from approval.store import holders, jobs, locks, requests, tasks, trail
from approval.store.session import Session


class Nobody(Exception):
    """Raised if there is nobody whose links are meant; the text says so."""


def request_of(session: Session, platform: str, name: str) -> str:
    """The id of the request of this id, or of the platform's task of this id. Raises Nobody."""
    task = tasks.find(session, platform, name)
    if task is None and not requests.exists(session, name):
        raise Nobody(f"there is no request or task {name}")
    return task[0] if task else name


def revoke(
    session: Session, request_id: str | None, address: str | None, now: datetime
) -> list[Approver]:
    """Withdraw the links of a request, of a person's open requests, or of both; returns whose.

    Raises Nobody.
    """
    found = [one for one in _find(session, request_id, address) if not one.revoked]
    holders.revoke(session, [one.id for one in found], now)
    _record(session, found, "links revoked", now)
    alert_if_nobody_is_left(session, [one.request_id for one in found], now)
    return found


def lift(
    session: Session, request_id: str | None, address: str | None, now: datetime
) -> list[Approver]:
    """Let links that were withdrawn or locked decide again; returns whose.

    Whoever was not mailed yet is mailed now. Raises Nobody.
    """
    found = [one for one in _find(session, request_id, address) if not one.can_decide]
    holders.lift(session, [one.id for one in found])
    _record(session, found, "links restored", now)
    for approver in found:
        if approver.mail is MailState.WAITING:
            jobs.add(session, jobs.Kind.ASK, approver.id, approver.request_id, now)
    return found


def _find(session: Session, request_id: str | None, address: str | None) -> Sequence[Approver]:
    found = holders.find(session, request_id, address)
    if not found:
        who = f"nobody at {address}" if address else "nobody"
        where = f"request {request_id}" if request_id else "open requests"
        raise Nobody(f"{who} has links in {where}")
    locks.hold(session, *(one.request_id for one in found))
    return found


def _record(session: Session, approvers: Sequence[Approver], kind: str, now: datetime) -> None:
    for one in approvers:
        text = f"{one.name} <{one.address}>, by the operator"
        trail.record(session, one.request_id, kind, text, now)

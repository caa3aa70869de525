"""Revoke links: an operator ends what a person's links can decide, or lets them decide again."""

from collections.abc import Callable, Sequence
from datetime import datetime

from approval.gate.trouble import alert_if_nobody_is_left
from approval.model import Approver, MailState
from approval.store import holders, jobs, locks, requests, tasks, trail
from approval.store.database import Database
from approval.store.session import Session

REQUESTS = 20  # in one transaction, so that a press waits for a few milliseconds at most


class Nobody(Exception):
    """Raised if there is nobody whose links are meant; the text says so."""


def request_of(session: Session, platform: str, name: str) -> str:
    """The id of the request of this id, or of the platform's task of this id. Raises Nobody."""
    task = tasks.find(session, platform, name)
    if task is None and not requests.exists(session, name):
        raise Nobody(f"there is no request or task {name}")
    return task[0] if task else name


def revoke(
    database: Database,
    request_id: str | None,
    address: str | None,
    now: datetime,
    pause: Callable[[], None],
) -> list[Approver]:
    """Withdraw the links of a request, of a person's open requests, or of both; returns whose.

    Raises Nobody, StoreDown. Each batch of requests is a transaction of its own, and `pause`
    comes after it: what was cut off is done when it is called again.
    """

    def withdraw(session: Session, found: Sequence[Approver]) -> list[Approver]:
        held = [one for one in found if not one.revoked]
        holders.revoke(session, [one.id for one in held], now)
        _record(session, held, "links revoked", now)
        alert_if_nobody_is_left(session, {one.request_id for one in held}, now)
        return held

    return _in_batches(database, request_id, address, withdraw, pause)


def lift(
    database: Database,
    request_id: str | None,
    address: str | None,
    now: datetime,
    pause: Callable[[], None],
) -> list[Approver]:
    """Let links that were withdrawn or locked decide again, as `revoke` withdraws; returns whose.

    Whoever was not mailed yet is mailed now. Raises Nobody, StoreDown.
    """

    def give_back(session: Session, found: Sequence[Approver]) -> list[Approver]:
        ended = [one for one in found if not one.can_decide]
        holders.lift(session, [one.id for one in ended])
        _record(session, ended, "links restored", now)
        for approver in ended:
            if approver.mail is MailState.WAITING:
                jobs.add(session, jobs.Kind.ASK, approver.id, approver.request_id, now)
        return ended

    return _in_batches(database, request_id, address, give_back, pause)


def _in_batches(
    database: Database,
    request_id: str | None,
    address: str | None,
    act: Callable[[Session, Sequence[Approver]], list[Approver]],
    pause: Callable[[], None],
) -> list[Approver]:
    """Act on those who are meant, some requests at a time; returns whom it changed."""
    whose = _meant(database, request_id, address)
    changed = []
    for first in range(0, len(whose), REQUESTS):
        some = whose[first : first + REQUESTS]
        with database.write() as session:
            locks.hold(session, *some)
            changed += act(session, holders.find(session, some, address))
        pause()
    return changed


def _meant(database: Database, request_id: str | None, address: str | None) -> list[str]:
    with database.read() as session:
        if request_id is None:
            found = holders.open_requests(session, address or "")
        else:
            found = [request_id] if holders.find(session, [request_id], address) else []
    if not found:
        who = f"nobody at {address}" if address else "nobody"
        where = f"request {request_id}" if request_id else "open requests"
        raise Nobody(f"{who} has links in {where}")
    return found


def _record(session: Session, approvers: Sequence[Approver], kind: str, now: datetime) -> None:
    for one in approvers:
        text = f"{one.name} <{one.address}>, by the operator"
        trail.record(session, one.request_id, kind, text, now)

"""Revoke links: an operator ends what a person's links can decide, or lets them decide again."""

from collections.abc import Callable, Sequence
from datetime import datetime

from approval.clock import Clock
from approval.gate.trouble import alert_if_nobody_is_left
from approval.model import Approver, MailState
from approval.store import holders, jobs, locks, requests, tasks, trail
from approval.store.database import Database
from approval.store.session import Session

After = Callable[[Sequence[Approver]], None]
REQUESTS = 20  # in one transaction, so that a press waits for a few milliseconds at most


class Nobody(Exception):
    """Raised if there is nobody whose links are meant; the text says so."""


def meant(session: Session, platform: str, name: str | None, address: str | None) -> list[str]:
    """The requests in which links are meant. Raises Nobody.

    `name` is the id of a request, or the platform's of a task; without it they are the open
    ones in which somebody at the address is asked.
    """
    if name:
        request_id = _request_of(session, platform, name)
        found = [request_id] if holders.find(session, [request_id], address) else []
        where = f"request {request_id}"
    else:
        found = holders.open_requests(session, address) if address else []
        where = "open requests"
    if not found:
        raise Nobody(f"{f'nobody at {address}' if address else 'nobody'} has links in {where}")
    return found


def _request_of(session: Session, platform: str, name: str) -> str:
    task = tasks.find(session, platform, name)
    if task is None and not requests.exists(session, name):
        raise Nobody(f"there is no request or task {name}")
    return task[0] if task else name


def revoke(
    database: Database, meant: Sequence[str], address: str | None, clock: Clock, after: After
) -> None:
    """Withdraw the links of all who are asked in these requests, or of those at an address.

    Raises StoreDown. Each batch of requests is a transaction of its own, and `after` is told
    whose links it ended. What was cut off is done when it is called again.
    """

    def withdraw(session: Session, found: Sequence[Approver], now: datetime) -> list[Approver]:
        held = [one for one in found if not one.revoked]
        holders.revoke(session, [one.id for one in held], now)
        _record(session, held, "links revoked", now)
        return held

    _in_batches(database, meant, address, withdraw, clock, after)
    with database.write() as session:  # one mail tells of all, also of what was cut off before
        alert_if_nobody_is_left(session, meant, clock())


def lift(
    database: Database, meant: Sequence[str], address: str | None, clock: Clock, after: After
) -> None:
    """Let links that were withdrawn or locked decide again, as `revoke` withdraws.

    Whoever was not mailed yet is mailed now. Raises StoreDown.
    """

    def give_back(session: Session, found: Sequence[Approver], now: datetime) -> list[Approver]:
        ended = [one for one in found if not one.can_decide]
        holders.lift(session, [one.id for one in ended])
        _record(session, ended, "links restored", now)
        for approver in ended:
            if approver.mail is MailState.WAITING:
                jobs.add(session, jobs.Kind.ASK, approver.id, approver.request_id, now)
        return ended

    _in_batches(database, meant, address, give_back, clock, after)


def _in_batches(
    database: Database,
    meant: Sequence[str],
    address: str | None,
    act: Callable[[Session, Sequence[Approver], datetime], list[Approver]],
    clock: Clock,
    after: After,
) -> None:
    """Act on those who are asked, some requests at a time; `act` returns whom it changed."""
    for first in range(0, len(meant), REQUESTS):
        some = meant[first : first + REQUESTS]
        with database.write() as session:
            locks.hold(session, *some)
            changed = act(session, holders.find(session, some, address), clock())
        after(changed)


def _record(session: Session, approvers: Sequence[Approver], kind: str, now: datetime) -> None:
    for one in approvers:
        text = f"{one.name} <{one.address}>, by the operator"
        trail.record(session, one.request_id, kind, text, now)

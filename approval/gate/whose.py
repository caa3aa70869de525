"""Whose links an operator means, and how something is done to many of them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from approval.clock import Clock
from approval.model import Approver
from approval.store import holders, locks, requests, tasks
from approval.store.database import Database
from approval.store.session import Session

After = Callable[[Sequence[Approver]], None]
Act = Callable[[Session, Sequence[Approver], datetime], list[Approver]]
REQUESTS = 20  # in one transaction, so that a press waits for a few milliseconds at most


class Nobody(Exception):
    """Raised if there is nobody whose links are meant; the text says so."""


def meant(session: Session, platform: str, name: str | None, address: str | None) -> list[str]:
    """The requests in which links are meant. Raises Nobody.

    `name` is the id of a request, or the platform's of a task; without it they are the open
    ones in which somebody at the address is asked, or without that too, all open ones.
    """
    if name is not None:
        request_id = _request_of(session, platform, name)
        found = [request_id] if holders.find(session, [request_id], address) else []
        where = f"request {request_id}"
    else:
        found = holders.open_requests(session, address)
        where = "open requests"
    if not found:
        raise Nobody(f"{f'nobody at {address}' if address else 'nobody'} has links in {where}")
    return found


def _request_of(session: Session, platform: str, name: str) -> str:
    task = tasks.find(session, platform, name)
    if task is None and not requests.exists(session, name):
        raise Nobody(f"there is no request or task {name}")
    return task[0] if task else name


def in_batches(
    database: Database,
    meant: Sequence[str],
    address: str | None,
    act: Act,
    clock: Clock,
    after: After,
) -> None:
    """Act on all who are asked in these requests, or those at an address. Raises StoreDown.

    Some requests at a time are a transaction of their own; `act` returns whom it changed, and
    `after` is told. What was cut off is left to another call.
    """
    for first in range(0, len(meant), REQUESTS):
        some = meant[first : first + REQUESTS]
        with database.write() as session:
            locks.hold(session, *some)
            changed = act(session, holders.find(session, some, address), clock())
        after(changed)

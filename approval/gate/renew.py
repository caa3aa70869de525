"""Renew links: whoever holds an expired one gets fresh ones, or all whom the operator means."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from approval.clock import Clock
from approval.gate.vote import Opened
from approval.gate.whose import After, in_batches
from approval.model import Approver, MailState
from approval.store import holders, jobs, locks, pending, trail
from approval.store.database import Database
from approval.store.session import Session

# A link in hand can ask for one fresh mail in this time, whoever holds it.
NOT_BEFORE = timedelta(hours=1)
# All links together for so many: a mailbox full of old mails must not become a flood of new ones.
AT_MOST = 60


class Renewal(StrEnum):
    """What became of asking for fresh links."""

    PROMISED = "promised"  # they are under way, or came within the hour
    LATER = "later"  # too many were asked for just now
    NOTHING = "nothing"  # there is nothing to decide, or nobody to mail


def renew(database: Database, opened: Opened, now: datetime) -> Renewal:
    """Promise to mail the approver fresh links, once an hour however often it is asked."""
    approver, since = opened.approver, now - NOT_BEFORE
    if approver is None or not opened.pending or approver.mail is not MailState.SENT:
        return Renewal.NOTHING
    if approver.mailed_at is None or approver.mailed_at > since:
        return Renewal.PROMISED
    with database.write() as session:
        locks.hold(session, approver.request_id)
        if holders.renewals(session, since) >= AT_MOST:
            return Renewal.LATER
        if not holders.renew(session, approver.id, now, since):
            return Renewal.PROMISED
        jobs.add(session, jobs.Kind.ASK, approver.id, approver.request_id, now, renew=False)
        text = f"{approver.name} asked for a fresh link"
        trail.record(session, approver.request_id, "link renewed", text, now)
    return Renewal.PROMISED


def renew_all(
    database: Database, meant: Sequence[str], address: str | None, clock: Clock, after: After
) -> None:
    """Promise fresh links to all who were mailed in those of these requests that are open.

    Raises StoreDown. `after` is told of each batch who will get them (see `in_batches`).
    """

    def promise(session: Session, found: Sequence[Approver], now: datetime) -> list[Approver]:
        waits = {id: pending.is_open(session, id) for id in {one.request_id for one in found}}
        promised = []
        for one in found:
            mailed = one.can_decide and one.mail is MailState.SENT and waits[one.request_id]
            if mailed and _ask_again(session, one, now):
                promised.append(one)
        return promised

    in_batches(database, meant, address, promise, clock, after)


def _ask_again(session: Session, approver: Approver, now: datetime) -> bool:
    """Promise a mail with fresh links; False if one is under way already."""
    id = approver.request_id
    if not jobs.add(session, jobs.Kind.ASK, approver.id, id, now, renew=False):
        return False
    text = f"{approver.name} <{approver.address}>, by the operator"
    trail.record(session, id, "link renewed", text, now)
    return True

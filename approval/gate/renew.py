"""Renew a link: mail a fresh one to the address of an expired one."""

from datetime import datetime, timedelta
from enum import StrEnum

from approval.gate.vote import Opened
from approval.model import MailState
from approval.store import holders, jobs, locks, trail
from approval.store.database import Database

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

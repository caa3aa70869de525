"""Renew a link: mail a fresh one to the address of an expired one."""

from datetime import datetime, timedelta

from approval.gate.vote import Opened
from approval.model import MailState
from approval.store import jobs, trail
from approval.store.database import Database

# A link in hand can ask for one fresh mail in this time, whoever holds it.
NOT_BEFORE = timedelta(hours=1)


def renew(database: Database, opened: Opened, now: datetime) -> bool:
    """Promise to mail the approver fresh links; says whether there is one to look for."""
    approver = opened.approver
    if approver is None or not opened.pending or approver.mail is not MailState.SENT:
        return False
    if approver.mailed_at is None or now - approver.mailed_at < NOT_BEFORE:
        return True  # it is under way, or came within the hour
    with database.write() as session:
        promised = jobs.add(
            session, jobs.Kind.ASK, approver.id, approver.request_id, now, renew=False
        )
        if not promised:
            return True
        text = f"{approver.name} asked for a fresh link"
        trail.record(session, approver.request_id, "link renewed", text, now)
    return True

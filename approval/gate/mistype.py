"""Mistype: somebody pressed a button with a code that is not theirs."""

from datetime import datetime

from approval.gate.trouble import alert_if_nobody_is_left, raise_alert
from approval.model import CODE_TRIES, Approver
from approval.store import holders, locks, trail
from approval.store.database import Database


def mistype(database: Database, approver: Approver, now: datetime) -> int:
    """Count a wrong code; returns how many tries are left. The last one locks the links."""
    with database.write() as session:
        locks.hold(session, approver.request_id)
        wrong = holders.count_wrong_code(session, approver.id)
        if wrong is None:
            return 0
        who = f"{approver.name} <{approver.address}>"
        trail.record(session, approver.request_id, "wrong code", f"{who}: the {wrong}. one", now)
        if wrong >= CODE_TRIES:
            trail.record(session, approver.request_id, "links locked", who, now)
            raise_alert(
                session,
                f"locked-{approver.id}",
                "Links are locked after wrong codes",
                f"Request {approver.request_id}: {CODE_TRIES} wrong codes were typed on the pages "
                f"behind the links of {who}. These links decide nothing any more.",
                "Ask whether it was they. If so, let them try again: approval revoke --lift "
                f"--request {approver.request_id} --person {approver.address}",
                now,
            )
            alert_if_nobody_is_left(session, [approver.request_id], now)
    return CODE_TRIES - wrong

"""Revoke links: an operator ends what a person's links can decide, or lets them decide again."""

from collections.abc import Sequence
from datetime import datetime

from approval.clock import Clock
from approval.gate.trouble import alert_if_nobody_is_left
from approval.gate.whose import After, in_batches
from approval.model import Approver, MailState
from approval.store import holders, jobs, trail
from approval.store.database import Database
from approval.store.session import Session


def revoke(
    database: Database, meant: Sequence[str], address: str | None, clock: Clock, after: After
) -> None:
    """Withdraw the links of all who are asked in these requests, or of those at an address.

    Raises StoreDown. `after` is told of each batch whose links ended (see `in_batches`).
    """

    def withdraw(session: Session, found: Sequence[Approver], now: datetime) -> list[Approver]:
        held = [one for one in found if not one.revoked]
        holders.revoke(session, [one.id for one in held], now)
        _record(session, held, "links revoked", now)
        return held

    in_batches(database, meant, address, withdraw, clock, after)
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

    in_batches(database, meant, address, give_back, clock, after)


def _record(session: Session, approvers: Sequence[Approver], kind: str, now: datetime) -> None:
    for one in approvers:
        text = f"{one.name} <{one.address}>, by the operator"
        trail.record(session, one.request_id, kind, text, now)

"""Rekey: a gate starts, maybe without the key that signed the links of open requests.

So it is where keys were lost, and where several gates were not given the same ones: the links
that one of them mails are strangers to the other.
"""

from collections.abc import Sequence
from datetime import datetime

from approval.gate.trouble import raise_alert
from approval.store import pending, signing
from approval.store.database import Database
from approval.store.session import Session


def strangers(session: Session, marks: Sequence[str]) -> int:
    """How many open requests have links in their mails that none of these keys may have signed."""
    signed = signing.mark(session)
    return 0 if signed is None or signed in marks else pending.count_open(session)


def rekey(database: Database, marks: Sequence[str], now: datetime) -> int:
    """Note that the last of these keys signs from now on, and tell the operator of `strangers`.

    Returns how many there are. Raises StoreDown.
    """
    *_, newest = marks
    with database.read() as session:
        if signing.mark(session) == newest:
            return 0
    with database.write() as session:
        waiting = strangers(session, marks)
        signing.sign_with(session, newest, now)
        if waiting:
            raise_alert(
                session,
                "other-key",
                "A gate has started without the key that signed links so far",
                f"Links in mails of open requests ({waiting}) are unknown to that gate: it "
                "answers 404, and other gates may do so to the links that it mails.",
                "If keys were replaced, or lost for good, decide these requests on the platform. "
                "Else put the file with the keys back, or give all gates the same "
                "[server] secret_key, and restart them.",
                now,
            )
    return waiting

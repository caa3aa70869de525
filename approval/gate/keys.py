"""Keys: a gate may lack one that signed links of open requests, and answer them with 404.

So it is where keys were lost, where one was taken away too early, and where several gates were
not given the same ones: what one of them mails is strange to the others.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from approval.gate import Handler, Record
from approval.gate.trouble import raise_alert
from approval.model import Job
from approval.store import alerts, holders
from approval.store.database import Database

ALERT = "missing-key"
AGAIN_AFTER = timedelta(days=1)


class Keys:
    """This gate's keys, by their marks."""

    def __init__(self, database: Database, marks: Sequence[str]) -> None:
        self._database = database
        self._marks = marks

    def look(self, now: datetime) -> int:
        """Tell the operator if a key is missing; returns of how many open requests it signed links.

        Raises StoreDown.
        """
        with self._database.read() as session:
            strange = holders.count_strange(session, self._marks)
            noted = alerts.load(session, ALERT)
        # A start and its first round look at nearly the same moment, and are to be one mail.
        if strange and (noted is None or now - noted.noted_at >= AGAIN_AFTER):
            with self._database.write() as session:
                raise_alert(
                    session,
                    ALERT,
                    "A gate lacks a key that signed links of open requests",
                    f"Links in mails of open requests ({strange}) are unknown to a gate: it "
                    "answers them with 404.",
                    "Give all gates the same keys: add the one that is missing, before the newest, "
                    "to [server] secret_key or to the file with the keys, and restart them. If it "
                    "is lost, or was taken away on purpose, restart them and have fresh links "
                    "mailed: approval renew --all",
                    now,
                )
        return strange

    def before(self, handler: Handler) -> Handler:
        """The handler of a round, which looks first: another gate may have started meanwhile."""

        def looking(job: Job, now: datetime) -> Record:
            self.look(now)
            return handler(job, now)

        return looking

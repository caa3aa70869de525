"""The use cases. Each reads what it needs, acts outside if it must, and writes one transaction.

A handler does a job's work outside the database and returns what to record of it. The
record is written together with the job's end, so a crash repeats the work or keeps both.
It may return when the job is due again, as another run, if it is not done for good.
"""

from collections.abc import Callable
from datetime import datetime

from approval.model import Job
from approval.store.session import Session

Record = Callable[[Session, datetime], datetime | None]
Handler = Callable[[Job, datetime], Record]
Say = Callable[[str], None]  # hears, in words, what was done


def nothing(session: Session, now: datetime) -> None:
    """The record of a job that turned out to need no work."""

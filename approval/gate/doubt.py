"""Doubt: what a platform says in passing is asked again before it is believed."""

from datetime import datetime, timedelta

from approval.failures import Failure
from approval.model import Job

# The platform may commit a task only after it has called, and one that starts may not find any.
COMMIT_TIME = timedelta(minutes=2)
ASK_AGAIN = timedelta(seconds=5)


def wait_for(what: str, at_most: timedelta, job: Job, now: datetime, why: str) -> None:
    """Raise Failure until nothing but this has been waited for so long."""
    if job.waited(what, now) < at_most:
        raise Failure(why, retry_after=ASK_AGAIN, awaits=what)

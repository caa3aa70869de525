"""Lapse: the gate declines what nobody has decided in time. It never accepts for that reason."""

from datetime import datetime, timedelta

from approval.audit import testimony
from approval.gate import Record, nothing, settle
from approval.model import Action, ApprovalRequest, Decision, Job
from approval.rendering import span
from approval.store import requests
from approval.store.database import Database
from approval.store.session import Session


class Lapse:
    """The handler of `lapse` jobs; their subject is a request.

    The time is the request's own, as its mails named it, whatever the settings say now.
    """

    def __init__(self, database: Database, *, notify_requester: bool) -> None:
        self._database = database
        self._notify_requester = notify_requester

    def __call__(self, job: Job, now: datetime) -> Record:
        """Decline what is pending if the time is over; a press at the same moment may be first."""
        with self._database.read() as session:
            request = requests.load(session, job.subject)
        if request is None or request.decline_at is None:
            return nothing
        later = request.decline_at
        if now < later:  # another mail that left at the same moment named it
            return lambda session, at: later
        return lambda session, at: self._decline(session, request, later, at)

    def _decline(
        self, session: Session, request: ApprovalRequest, end: datetime, now: datetime
    ) -> None:
        decision = Decision(by=testimony.RULE, at=now, reason=_reason(end - request.received_at))
        declined = [
            settle.decide(session, request.id, task, Action.DECLINE, decision)
            for task in request.pending
        ]
        if any(declined):
            settle.spread(session, request.id, now, requester=self._notify_requester)


def _reason(length: timedelta) -> str:
    return f"nobody decided within {span(length)}"

"""Tell people by mail: approvers, requesters and operators hear what happened."""

from datetime import datetime

from approval.addresses import is_address
from approval.failures import Failure
from approval.gate import Record, nothing
from approval.gate.ask import approver_and_request
from approval.gate.letters import Letters
from approval.gate.trouble import TELL_AGAIN_AFTER
from approval.mail import Transport
from approval.model import Job, MailState
from approval.store import alerts, jobs, requests, trail
from approval.store.database import Database
from approval.store.session import Session


class Tell:
    """The handlers of jobs that tell somebody what happened."""

    def __init__(
        self,
        database: Database,
        letters: Letters,
        transport: Transport,
        *,
        urgent: Transport,
        operator: str | None,
    ) -> None:
        self._database = database
        self._letters = letters
        self._transport = transport
        self._urgent = urgent  # for the operator, who has to hear when the other is busy
        self._operator = operator

    def note(self, job: Job, now: datetime) -> Record:
        """Tell an approver who was asked what became of it, in the same thread."""
        approver, request = approver_and_request(self._database, job)
        if approver is None or request is None or approver.mail is not MailState.SENT:
            return nothing
        if approver.revoked:
            return nothing
        self._transport.send(self._letters.news(job, approver, request, request.handled, now))
        return _told(job, f"note to {approver.name}")

    def outcome(self, job: Job, now: datetime) -> Record:
        """Tell the requester what became of their request."""
        with self._database.read() as session:
            request = requests.load(session, job.subject)
        if request is None:
            return nothing
        requester = request.requester
        if requester is None or not is_address(requester.address or ""):
            return _told(job, "the requester has no mail address", kind="not told")
        context = {"request": request, "tasks": request.tasks, "pending": len(request.pending)}
        to = (requester.name, requester.address or "")
        self._transport.send(self._letters.write(job, "outcome", to, context, now))
        return _told(job, f"outcome to {requester.name}")

    def alert(self, job: Job, now: datetime) -> Record:
        """Tell the operator of a trouble."""
        with self._database.read() as session:
            alert = alerts.load(session, job.subject)
        if alert is None or self._operator is None:
            return nothing
        if alert.told_at is not None and now - alert.told_at < TELL_AGAIN_AFTER:
            raise Failure("told already", retry_after=alert.told_at + TELL_AGAIN_AFTER - now)
        context = {"title": alert.title, "text": alert.text, "advice": alert.advice}
        self._urgent.send(self._letters.write(job, "alert", ("", self._operator), context, now))

        def record(session: Session, now: datetime) -> None:
            if alerts.told(session, job.subject, now) > alert.noted_at:
                # It came up again while it was told.
                jobs.add(session, jobs.Kind.ALERT, job.subject, None, now)

        return record


def _told(job: Job, text: str, kind: str = "told") -> Record:
    return lambda session, now: trail.record(session, str(job.request_id), kind, text, now)

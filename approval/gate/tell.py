"""Tell people by mail: approvers are asked, requesters and operators hear what happened."""

from collections.abc import Callable, Sequence
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from sqlalchemy import orm

from approval.addresses import is_address
from approval.codes import Codes
from approval.failures import Failure
from approval.gate import Record, nothing
from approval.gate.maillinks import MailLinks
from approval.gate.trouble import TELL_AGAIN_AFTER
from approval.links import Links
from approval.mail import RecipientRefused, Transport
from approval.mail.message import Sender, compose, message_id
from approval.model import (
    ApprovalRequest,
    Approver,
    Job,
    MailState,
    Task,
    TaskState,
)
from approval.rendering import Templates
from approval.store import jobs, people, requests, trail
from approval.store.database import Database

SHOWN = 50  # tasks in one mail; the review page has the rest
FEW = 10  # tasks, which any mail can hold
CLIPPED = 100_000  # bytes; Gmail shows no more of a mail than about 102 kB


class Tell:
    """The handlers of all jobs that send a mail."""

    def __init__(
        self,
        database: Database,
        links: Links,
        templates: Templates,
        transport: Transport,
        sender: Sender,
        *,
        urgent: Transport,
        operator: str | None,
        subjects: dict[str, str],
        codes: Codes | None = None,
    ) -> None:
        self._database = database
        self._links = links
        self._templates = templates
        self._transport = transport
        self._sender = sender
        self._urgent = urgent  # for the operator, who has to hear when the other is busy
        self._operator = operator
        self._subjects = subjects
        self._codes = codes

    def ask(self, job: Job, now: datetime) -> Record:
        """Mail an approver the links to what is still pending."""
        approver, request = self._approver_and_request(job)
        if approver is None or request is None or approver.revoked:
            return nothing
        if not is_address(approver.address):
            raise RecipientRefused(f"{approver.address!r} is no mail address", permanent=True)
        pending = [task for task in request.tasks if task.state is TaskState.PENDING]
        if not pending:
            return self._too_late(job, approver)
        deadline = now + self._links.valid
        context = {
            "request": request,
            "approver": approver,
            "many": len(pending) > 1,
            "links": MailLinks(self._links, approver, pending, deadline),
            "code": self._code(approver),
            "deadline": deadline,
        }
        self._transport.send(self._request(job, pending, context, now))
        return _mailed(approver, message_id(job.key, self._sender))

    def _too_late(self, job: Job, approver: Approver) -> Record:
        """Ask nobody about what is decided; but who was asked, or may have been, hears of it."""
        if approver.mail is MailState.SENT:
            return nothing  # the note goes to whoever was asked
        if job.attempts > 1:
            thread = message_id(job.key, self._sender)
            return _mailed(approver, thread, "(perhaps; all is decided meanwhile)")
        return _skipped(approver)

    def _request(
        self, job: Job, pending: Sequence[Task], context: dict[str, Any], now: datetime
    ) -> EmailMessage:
        """The message that asks, with as many tasks as a mail can hold."""
        approver: Approver = context["approver"]
        to = (approver.name, approver.address)
        shown = SHOWN
        while True:
            tasks = {"tasks": tuple(pending[:shown]), "more": len(pending[shown:])}
            message = self._compose(job, "request", to, context | tasks, now, approver.thread)
            if len(pending[:shown]) <= FEW or len(message.as_bytes()) <= CLIPPED:
                return message
            shown //= 2

    def note(self, job: Job, now: datetime) -> Record:
        """Tell an approver who was asked what became of it, in the same thread."""
        approver, request = self._approver_and_request(job)
        if approver is None or request is None or approver.mail is not MailState.SENT:
            return nothing
        if approver.revoked:
            return nothing
        handled = tuple(task for task in request.tasks if task.state is not TaskState.PENDING)
        deadline = now + self._links.valid
        context = {
            "request": request,
            "approver": approver,
            "tasks": handled,
            "pending": len(request.tasks) - len(handled),
            "review_url": MailLinks(self._links, approver, handled, deadline).review,
            "code": self._code(approver),
        }
        message = self._compose(
            job, "note", (approver.name, approver.address), context, now, approver.thread
        )
        self._transport.send(message)
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
        pending = sum(task.state is TaskState.PENDING for task in request.tasks)
        context = {"request": request, "tasks": request.tasks, "pending": pending}
        to = (requester.name, requester.address or "")
        self._transport.send(self._compose(job, "outcome", to, context, now))
        return _told(job, f"outcome to {requester.name}")

    def alert(self, job: Job, now: datetime) -> Record:
        """Tell the operator of a trouble."""
        with self._database.read() as session:
            alert = people.alert(session, job.subject)
        if alert is None or self._operator is None:
            return nothing
        if alert.told_at is not None and now - alert.told_at < TELL_AGAIN_AFTER:
            raise Failure("told already", retry_after=alert.told_at + TELL_AGAIN_AFTER - now)
        context = {"title": alert.title, "text": alert.text, "advice": alert.advice}
        self._urgent.send(self._compose(job, "alert", ("", self._operator), context, now))

        def record(session: orm.Session, now: datetime) -> None:
            if people.alert_told(session, job.subject, now) > alert.noted_at:
                # It came up again while it was told.
                jobs.add(session, jobs.Kind.ALERT, job.subject, None, now)

        return record

    def _code(self, approver: Approver) -> str | None:
        """What has to be typed on the pages behind the links, if they ask for it."""
        return self._codes.code(approver) if self._codes else None

    def _approver_and_request(self, job: Job) -> tuple[Approver | None, ApprovalRequest | None]:
        with self._database.read() as session:
            approver = people.approver(session, int(job.subject))
            request = requests.load(session, approver.request_id) if approver else None
        return approver, request

    def _compose(
        self,
        job: Job,
        name: str,
        to: tuple[str, str],
        context: dict[str, Any],
        now: datetime,
        thread: str | None = None,
    ) -> EmailMessage:
        render: Callable[[str], str] = lambda part: self._templates.render(  # noqa: E731
            f"mail/{name}/{part}", **context
        )
        return compose(
            self._sender,
            to,
            self._subjects.get(name) or render("subject.txt"),
            render("body.txt"),
            render("body.html"),
            key=job.key,
            thread=thread,
            now=now,
        )


def _mailed(approver: Approver, thread: str, text: str = "") -> Record:
    def record(session: orm.Session, now: datetime) -> None:
        people.mailed(session, approver.id, MailState.SENT, now, thread)
        to = f"{approver.name} <{approver.address}> {text}".strip()
        trail.record(session, approver.request_id, "mailed", to, now)
        if text or (approver.mailed_at is None and people.voted(session, approver.request_id)):
            # The note about it may have found an approver who had not been asked yet.
            jobs.add(session, jobs.Kind.NOTE, approver.id, approver.request_id, now)

    return record


def _skipped(approver: Approver) -> Record:
    text = f"{approver.name} <{approver.address}>: everything was decided before"

    def record(session: orm.Session, now: datetime) -> None:
        people.mailed(session, approver.id, MailState.SKIPPED, now, None)
        trail.record(session, approver.request_id, "not mailed", text, now)

    return record


def _told(job: Job, text: str, kind: str = "told") -> Record:
    return lambda session, now: trail.record(session, str(job.request_id), kind, text, now)

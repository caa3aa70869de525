"""Letters: the gate's mails, written from templates and values."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from approval.codes import Codes
from approval.gate.maillinks import MailLinks
from approval.links import Links
from approval.mail.message import Sender, compose, message_id
from approval.model import ApprovalRequest, Approver, Job, Task
from approval.rendering import Templates

SHOWN = 50  # tasks in one mail; the review page has the rest
FEW = 10  # tasks, which any mail can hold
CLIPPED = 100_000  # bytes; Gmail shows no more of a mail than about 102 kB
IN_THREAD = {"reminder", "note"}  # mail programs group them by the subject, too


class Letters:
    """Writes mails. What is written for one run of a job always has the same Message-ID.

    `subjects` are those that the operator fixed, by the name of the mail. What follows in the
    thread of a request answers to its subject.
    """

    def __init__(
        self,
        templates: Templates,
        links: Links,
        sender: Sender,
        subjects: Mapping[str, str],
        codes: Codes | None = None,
    ) -> None:
        self._templates = templates
        self._links = links
        self._sender = sender
        self._subjects = subjects
        self._codes = codes

    @property
    def mark(self) -> str:
        """The mark of the key that signs links."""
        return self._links.mark

    def id(self, job: Job) -> str:
        """The Message-ID of what is written for a job."""
        return message_id(job.key, self._sender)

    def write(
        self,
        job: Job,
        name: str,
        to: tuple[str, str],
        context: Mapping[str, Any],
        now: datetime,
        thread: str | None = None,
    ) -> EmailMessage:
        """Write a mail to one (name, address). Raises TemplateError."""

        def part(file: str) -> str:
            return self._templates.render(f"mail/{name}/{file}", **context)

        return compose(
            self._sender,
            to,
            self._fixed_subject(name) or part("subject.txt"),
            part("body.txt"),
            part("body.html"),
            key=job.key,
            thread=thread,
            now=now,
        )

    def _fixed_subject(self, name: str) -> str | None:
        asked = self._subjects.get("request")
        return f"Re: {asked}" if asked and name in IN_THREAD else self._subjects.get(name)

    def question(
        self,
        job: Job,
        name: str,
        approver: Approver,
        request: ApprovalRequest,
        pending: Sequence[Task],
        now: datetime,
    ) -> EmailMessage:
        """Write a mail with fresh links that decide, to as many tasks as it can hold."""
        deadline = now + self._links.valid
        context = {
            "request": request,
            "many": len(pending) > 1,
            "links": MailLinks(self._links, approver, pending, deadline),
            "deadline": deadline,
        }
        shown = SHOWN
        while True:
            tasks = {"tasks": tuple(pending[:shown]), "more": len(pending[shown:])}
            message = self._to_approver(job, name, approver, context | tasks, now)
            if len(pending[:shown]) <= FEW or len(message.as_bytes()) <= CLIPPED:
                return message
            shown //= 2

    def news(
        self,
        job: Job,
        approver: Approver,
        request: ApprovalRequest,
        handled: Sequence[Task],
        now: datetime,
    ) -> EmailMessage:
        """Write a note to an approver on what became of tasks, in the thread that asked."""
        deadline = now + self._links.valid
        context = {
            "request": request,
            "tasks": handled,
            "pending": len(request.tasks) - len(handled),
            "review_url": MailLinks(self._links, approver, handled, deadline).review,
        }
        return self._to_approver(job, "note", approver, context, now)

    def _to_approver(
        self, job: Job, name: str, approver: Approver, context: Mapping[str, Any], now: datetime
    ) -> EmailMessage:
        """Write in the approver's thread, with the code if the pages behind the links want it."""
        code = self._codes.code(approver) if self._codes else None
        known = {**context, "approver": approver, "code": code}
        to = (approver.name, approver.address)
        return self.write(job, name, to, known, now, approver.thread)

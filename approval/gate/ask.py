"""Ask approvers by mail, and remind those who have not decided."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from approval.addresses import is_address
from approval.gate import Record, nothing
from approval.gate.letters import Letters
from approval.mail import RecipientRefused, Transport
from approval.model import ApprovalRequest, Approver, Job, MailState, Task
from approval.store import jobs, pending, people, requests, trail
from approval.store.database import Database
from approval.store.session import Session


@dataclass(frozen=True)
class Patience:
    """How long approvers may take, from the first mail on.

    `remind_after` rises; `decline_after` None lets requests stay pending for ever.
    """

    remind_after: Sequence[timedelta] = ()
    decline_after: timedelta | None = None


class Ask:
    """The handlers of `ask` and `remind` jobs; their subject is an approver."""

    def __init__(
        self, database: Database, letters: Letters, transport: Transport, patience: Patience
    ) -> None:
        self._database = database
        self._letters = letters
        self._transport = transport
        self._patience = patience

    def ask(self, job: Job, now: datetime) -> Record:
        """Mail an approver the links to what is still pending."""
        approver, request = approver_and_request(self._database, job)
        if approver is None or request is None or approver.revoked:
            return nothing
        if not is_address(approver.address):
            raise RecipientRefused(f"{approver.address!r} is no mail address", permanent=True)
        waiting = request.pending
        if not waiting:
            return self._too_late(job, approver, request)
        if request.decline_at is None and self._patience.decline_after:
            request = replace(request, decline_at=now + self._patience.decline_after)
        mail = self._letters.question(job, "request", approver, request, waiting, now)
        self._transport.send(mail)
        # An attempt that seemed to fail may have asked about the others.
        asked = waiting if job.attempts == 1 else request.tasks
        return self._asked(job, approver, asked, request.decline_at)

    def remind(self, job: Job, now: datetime) -> Record:
        """Mail fresh links to an approver who has not decided what is still pending."""
        approver, request = approver_and_request(self._database, job)
        if approver is None or request is None or not self._may_be_reminded(approver, request):
            return nothing
        with self._database.read() as session:
            voted_on = people.voted_on(session, approver)
        waiting = [task for task in request.pending if task.id not in voted_on]
        if not waiting:
            return nothing
        mail = self._letters.question(job, "reminder", approver, request, waiting, now)
        self._transport.send(mail)
        return self._reminded(approver)

    def _may_be_reminded(self, approver: Approver, request: ApprovalRequest) -> bool:
        """Whether it helps: the settings may have changed, and who asked knows that it waits."""
        asker = (request.requester and request.requester.address) or ""
        is_asker = approver.address.lower() == asker.lower()
        left = approver.reminders < len(self._patience.remind_after)
        return left and approver.can_decide and not is_asker

    def _too_late(self, job: Job, approver: Approver, request: ApprovalRequest) -> Record:
        """Ask nobody about what is decided; but who was asked, or may have been, hears of it."""
        if approver.mail is MailState.SENT:
            return nothing  # the note goes to whoever was asked
        with self._database.read() as session:
            voted_on = people.voted_on(session, approver)
        if all(task.id in voted_on for task in request.tasks):
            return self._asked(job, approver)  # the mail arrived, and they have used it
        if job.attempts > 1:
            perhaps = "(perhaps; all is decided meanwhile)"
            return self._asked(job, approver, request.tasks, text=perhaps)
        return _skipped(approver)

    def _asked(
        self,
        job: Job,
        approver: Approver,
        tasks: Sequence[Task] = (),
        decline_at: datetime | None = None,
        text: str = "",
    ) -> Record:
        named = [task.id for task in tasks]

        def record(session: Session, now: datetime) -> None:
            people.mailed(session, approver.id, now, self._letters.id(job), self._letters.mark)
            to = f"{approver.name} <{approver.address}> {text}".strip()
            trail.record(session, approver.request_id, "mailed", to, now)
            first = approver.mailed_at is None
            if (text or first) and people.ended_without(session, approver, named):
                # The note about it may have found an approver who had not been asked yet.
                jobs.add(session, jobs.Kind.NOTE, approver.id, approver.request_id, now)
            if first and pending.is_open(session, approver.request_id):
                self._be_patient(session, approver, decline_at, now)

        return record

    def _be_patient(
        self, session: Session, approver: Approver, decline_at: datetime | None, now: datetime
    ) -> None:
        """Promise what is to be done if the approver, or nobody at all, decides."""
        id = approver.request_id
        if first := self._patience.remind_after[:1]:
            jobs.add(session, jobs.Kind.REMIND, approver.id, id, now, now + first[0], renew=False)
        if decline_at:
            pending.decline_at(session, id, decline_at)
            jobs.add(session, jobs.Kind.LAPSE, id, id, now, decline_at, renew=False)

    def _reminded(self, approver: Approver) -> Record:
        this, *later = self._patience.remind_after[approver.reminders :]

        def record(session: Session, now: datetime) -> datetime | None:
            people.reminded(session, approver.id, now, self._letters.mark)
            to = f"{approver.name} <{approver.address}>"
            trail.record(session, approver.request_id, "reminded", to, now)
            if not later or not pending.is_open(session, approver.request_id):
                return None
            return now + later[0] - this

        return record


def approver_and_request(
    database: Database, job: Job
) -> tuple[Approver | None, ApprovalRequest | None]:
    """The approver that a job is about, and what they are asked; None for what was purged."""
    with database.read() as session:
        approver = people.approver(session, int(job.subject))
        request = requests.load(session, approver.request_id) if approver else None
    return approver, request


def _skipped(approver: Approver) -> Record:
    text = f"{approver.name} <{approver.address}>: everything was decided before"

    def record(session: Session, now: datetime) -> None:
        people.not_mailed(session, approver.id, MailState.SKIPPED)
        trail.record(session, approver.request_id, "not mailed", text, now)

    return record

"""Vote: an approver's button press, and what a link shows before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from approval.audit import testimony
from approval.gate import settle
from approval.model import Action, ApprovalRequest, Approver, Decision, Task
from approval.store import locks, people, requests, tasks
from approval.store.database import Database
from approval.store.session import Session

COMMENT_LENGTH = 1000


class NotAsked(Exception):
    """Raised if the task is unknown or whoever asks has no part in it; do not tell which."""


class Barred(Exception):
    """Raised if somebody was asked whose links decide nothing any more: withdrawn or locked."""

    def __init__(self, approver: Approver) -> None:
        super().__init__("these links decide nothing any more")
        self.approver = approver


@dataclass(frozen=True)
class Opened:
    """What a link leads to: the request, the tasks that the link names, and its holder."""

    request: ApprovalRequest
    tasks: tuple[Task, ...]
    approver: Approver | None

    @property
    def pending(self) -> tuple[Task, ...]:
        """The tasks that can still be decided."""
        return tuple(task for task in self.tasks if task.pending)

    @property
    def handled(self) -> tuple[Task, ...]:
        """The tasks that are decided or withdrawn."""
        return tuple(task for task in self.tasks if not task.pending)


@dataclass(frozen=True)
class Counted:
    """What became of a press: the tasks that it decided, and those that were decided before."""

    request: ApprovalRequest
    decided: tuple[Task, ...]
    others: tuple[Task, ...]


def open_request(database: Database, approver_id: int) -> Opened:
    """Show an approver all of the request that they are asked about. Raises NotAsked."""
    with database.read() as session:
        approver = people.approver(session, approver_id)
        request = requests.load(session, approver.request_id) if approver else None
    if request is None:
        raise NotAsked
    return Opened(request, request.tasks, approver)


def open_tasks(
    database: Database, platform: str, task_ids: Sequence[str], approver_id: int | None
) -> Opened:
    """Show tasks of one request, by the platform's ids; `approver_id` None for unsigned links.

    Raises NotAsked if a task is unknown, of another request, or not the approver's.
    """
    with database.read() as session:
        found = tasks.find(session, platform, task_ids[0]) if task_ids else None
        request = requests.load(session, found[0]) if found else None
        approver = people.approver(session, approver_id) if approver_id is not None else None
    if request is None or (approver_id is not None and approver is None):
        raise NotAsked
    if approver is not None and approver.request_id != request.id:
        raise NotAsked
    by_id = {task.held.id: task for task in request.tasks}
    if not by_id.keys() >= set(task_ids):
        raise NotAsked
    return Opened(request, tuple(by_id[task_id] for task_id in dict.fromkeys(task_ids)), approver)


def vote(
    database: Database,
    opened: Opened,
    action: Action,
    comment: str,
    now: datetime,
    *,
    notify_requester: bool,
) -> Counted:
    """Decide those of the opened tasks that are still pending; the first press wins.

    Raises Barred, with nothing decided, if the approver's links were withdrawn meanwhile.
    """
    request_id, approver = opened.request.id, opened.approver
    comment = " ".join(comment.split())[:COMMENT_LENGTH]
    by = approver.name if approver else testimony.UNSIGNED
    decision = Decision(by=by, at=now, reason=comment)
    with database.write() as session:
        locks.hold(session, request_id)
        won = set()
        for task in opened.pending:
            if settle.decide(session, request_id, task, action, decision, approver):
                won.add(task.id)
                voter = approver.id if approver else None
                if not people.vote(session, task.id, voter, action, comment, now):
                    raise _barred(session, approver)
        if won:
            settle.spread(
                session,
                request_id,
                now,
                requester=notify_requester,
                but=approver.id if approver else None,
            )
        request = requests.load(session, request_id)
    if request is None:
        raise NotAsked
    named = {task.id for task in opened.tasks}
    return Counted(
        request=request,
        decided=tuple(task for task in request.tasks if task.id in won),
        others=tuple(task for task in request.tasks if task.id in named - won),
    )


def _barred(session: Session, approver: Approver | None) -> Exception:
    now_known = people.approver(session, approver.id) if approver else None
    return Barred(now_known) if now_known else NotAsked()

"""What is inspected: the rows of a request and of its tasks, as far as the trail knows them."""

from dataclasses import dataclass
from datetime import datetime

from approval.model import Action, Delivery, Person, TaskState


@dataclass(frozen=True, kw_only=True)
class SubjectApprover:
    """The row of somebody who was asked."""

    id: int
    name: str
    address: str


@dataclass(frozen=True, kw_only=True)
class SubjectVote:
    """The row of a vote; `approver_id` is None if it was cast by an unsigned link."""

    task_id: int
    approver_id: int | None
    action: Action
    comment: str
    cast_at: datetime


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The row of a request, and those of whoever was asked, in their order."""

    id: str
    platform: str
    received_at: datetime
    payload: str  # what `testimony.payload_is` says of it; the body itself may be a megabyte
    requester: Person | None
    missing: tuple[str, ...]
    considered_at: datetime | None
    closed_at: datetime | None
    events: int
    purged_at: datetime | None
    asked: tuple[SubjectApprover, ...]


@dataclass(frozen=True, kw_only=True)
class SubjectTask:
    """The row of a task with its votes; `what` is what `testimony.task_is` says of it.

    `described`: the row holds what only the platform can have told.
    """

    id: int
    request_id: str
    platform_task_id: str
    what: str
    described: bool
    state: TaskState
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None
    delivery: Delivery | None
    delivered_at: datetime | None
    votes: tuple[SubjectVote, ...]

"""A request: its tasks, who is asked, and what each of them said."""

import sqlalchemy as sa

from approval.model import (
    Action,
    Delivery,
    HeldTask,
    Machine,
    MailState,
    Person,
    Snapshot,
    TaskState,
)
from approval.store.tables.base import LONG, METADATA, TIME, Value, column, partial_index, word

# `events` counts those of its audit trail; a purged request keeps no personal data. At
# `decline_at` the gate declines what nobody has decided.
REQUESTS = sa.Table(
    "approval_requests",
    METADATA,
    column("id", sa.String(32), primary_key=True),
    column("platform", sa.String(32)),
    column("received_at", TIME),
    column("payload", sa.LargeBinary()),
    column("requester", Value(Person), nullable=True),
    column("missing", Value(tuple[str, ...])),
    column("considered_at", TIME, nullable=True),
    column("closed_at", TIME, nullable=True),
    column("events", sa.Integer(), server_default="0"),
    column("purged_at", TIME, nullable=True),
    column("decline_at", TIME, nullable=True),
    partial_index("ix_approval_requests_open", "received_at", "id", where="closed_at IS NULL"),
    partial_index(
        "ix_approval_requests_closed_at",
        "closed_at",
        where="closed_at IS NOT NULL AND purged_at IS NULL",
    ),
)

TASKS = sa.Table(
    "tasks",
    METADATA,
    column("id", LONG, primary_key=True),
    column("request_id", sa.String(32), sa.ForeignKey("approval_requests.id"), index=True),
    column("platform", sa.String(32)),
    column("platform_task_id", sa.String(64)),
    column("held", Value(HeldTask)),
    column("state", word(TaskState)),
    column("decided_by", sa.String(), nullable=True),
    column("decided_at", TIME, nullable=True),
    column("reason", sa.String(), nullable=True),
    column("delivery", word(Delivery), nullable=True),
    column("delivery_note", sa.String(), nullable=True),
    column("delivered_at", TIME, nullable=True),
    column("machine", Value(Machine), nullable=True),
    column("previous", Value(Snapshot), nullable=True),
    sa.UniqueConstraint("platform", "platform_task_id"),
    sqlite_autoincrement=True,  # links name ids, so an id is never used twice
)

# `signed_by` is the mark of the key that signed the links in their last mail.
APPROVERS = sa.Table(
    "approvers",
    METADATA,
    column("id", LONG, primary_key=True),
    column("request_id", sa.String(32), sa.ForeignKey("approval_requests.id"), index=True),
    column("person_key", sa.String()),
    column("name", sa.String()),
    column("address", sa.String()),
    column("mail", word(MailState)),
    column("mailed_at", TIME, nullable=True),
    column("thread", sa.String(), nullable=True),
    column("signed_by", sa.String(16), nullable=True),
    column("revoked_at", TIME, nullable=True),
    column("renewed_at", TIME, nullable=True, index=True),
    column("wrong_codes", sa.Integer(), server_default="0"),
    column("reminders", sa.Integer(), server_default="0"),
    sqlite_autoincrement=True,  # as for tasks
)

# `approver_id` is NULL for a vote by an unsigned link, which names nobody.
VOTES = sa.Table(
    "votes",
    METADATA,
    column("id", LONG, primary_key=True),
    column("task_id", LONG, sa.ForeignKey("tasks.id")),
    column("approver_id", LONG, sa.ForeignKey("approvers.id"), nullable=True),
    column("action", word(Action)),
    column("comment", sa.String()),
    column("cast_at", TIME),
    sa.UniqueConstraint("task_id", "approver_id"),
)

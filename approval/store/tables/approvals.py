"""A request: its tasks, who is asked, and what each of them said."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm

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
from approval.store.tables.base import LONG, Base, Value


class RequestRow(Base):
    """`events` counts those of its audit trail; a purged request keeps no personal data.

    At `decline_at` the gate declines what nobody has decided.
    """

    __tablename__ = "approval_requests"
    __table_args__ = (
        sa.Index(
            "ix_approval_requests_open",
            "received_at",
            "id",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        sa.Index(
            "ix_approval_requests_closed_at",
            "closed_at",
            sqlite_where=sa.text("closed_at IS NOT NULL AND purged_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NOT NULL AND purged_at IS NULL"),
        ),
    )

    id: orm.Mapped[str] = orm.mapped_column(sa.String(32), primary_key=True)
    platform: orm.Mapped[str] = orm.mapped_column(sa.String(32))
    received_at: orm.Mapped[datetime]
    payload: orm.Mapped[bytes]
    requester: orm.Mapped[Person | None] = orm.mapped_column(Value(Person))
    missing: orm.Mapped[tuple[str, ...]] = orm.mapped_column(Value(tuple[str, ...]))
    considered_at: orm.Mapped[datetime | None]
    closed_at: orm.Mapped[datetime | None]
    events: orm.Mapped[int] = orm.mapped_column(server_default="0")
    purged_at: orm.Mapped[datetime | None]
    decline_at: orm.Mapped[datetime | None]


class TaskRow(Base):
    __tablename__ = "tasks"
    __table_args__ = (
        sa.UniqueConstraint("platform", "platform_task_id"),
        {"sqlite_autoincrement": True},  # links name ids, so an id is never used twice
    )

    id: orm.Mapped[int] = orm.mapped_column(LONG, primary_key=True)
    request_id: orm.Mapped[str] = orm.mapped_column(
        sa.ForeignKey("approval_requests.id"), index=True
    )
    platform: orm.Mapped[str] = orm.mapped_column(sa.String(32))
    platform_task_id: orm.Mapped[str] = orm.mapped_column(sa.String(64))
    held: orm.Mapped[HeldTask] = orm.mapped_column(Value(HeldTask))
    state: orm.Mapped[TaskState]
    decided_by: orm.Mapped[str | None]
    decided_at: orm.Mapped[datetime | None]
    reason: orm.Mapped[str | None]
    delivery: orm.Mapped[Delivery | None]
    delivery_note: orm.Mapped[str | None]
    delivered_at: orm.Mapped[datetime | None]
    machine: orm.Mapped[Machine | None] = orm.mapped_column(Value(Machine))
    previous: orm.Mapped[Snapshot | None] = orm.mapped_column(Value(Snapshot))


class ApproverRow(Base):
    __tablename__ = "approvers"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - as for tasks

    id: orm.Mapped[int] = orm.mapped_column(LONG, primary_key=True)
    request_id: orm.Mapped[str] = orm.mapped_column(
        sa.ForeignKey("approval_requests.id"), index=True
    )
    person_key: orm.Mapped[str]
    name: orm.Mapped[str]
    address: orm.Mapped[str]
    mail: orm.Mapped[MailState]
    mailed_at: orm.Mapped[datetime | None]
    thread: orm.Mapped[str | None]
    revoked_at: orm.Mapped[datetime | None]
    renewed_at: orm.Mapped[datetime | None] = orm.mapped_column(index=True)
    wrong_codes: orm.Mapped[int] = orm.mapped_column(server_default="0")
    reminders: orm.Mapped[int] = orm.mapped_column(server_default="0")


class VoteRow(Base):
    """`approver_id` is None for a vote by an unsigned link, which names nobody."""

    __tablename__ = "votes"
    __table_args__ = (sa.UniqueConstraint("task_id", "approver_id"),)

    id: orm.Mapped[int] = orm.mapped_column(LONG, primary_key=True)
    task_id: orm.Mapped[int] = orm.mapped_column(LONG, sa.ForeignKey("tasks.id"))
    approver_id: orm.Mapped[int | None] = orm.mapped_column(LONG, sa.ForeignKey("approvers.id"))
    action: orm.Mapped[Action]
    comment: orm.Mapped[str]
    cast_at: orm.Mapped[datetime]

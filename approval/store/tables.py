"""The tables. Times are aware and UTC; values of the model lie in JSON columns."""

from datetime import UTC, datetime
from typing import Any, cast

import sqlalchemy as sa
from pydantic import TypeAdapter
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


class UTCDateTime(sa.types.TypeDecorator[datetime]):
    """Aware datetimes, kept in UTC; SQLite forgets time zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without zone: {value}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Value(sa.types.TypeDecorator[Any]):
    """A value of the model as JSON."""

    impl = sa.JSON(none_as_null=True)
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__(none_as_null=True)
        self.kind = kind
        self._adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return self.plain(value)

    def plain(self, value: Any) -> Any:
        """The value as JSON knows it: dicts, lists, strings."""
        return None if value is None else self._adapter.dump_python(value, mode="json")

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else self._adapter.validate_python(value)


def _word(kind: type) -> sa.Enum:
    """An enumeration kept as its plain word."""
    return sa.Enum(
        kind, native_enum=False, length=16, values_callable=lambda words: [w.value for w in words]
    )


# Events alone would use up 32 bits within months where there are many tasks. SQLite counts its
# rows in 64 bits, but only if the column is called an INTEGER.
LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class Base(orm.DeclarativeBase):
    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own hook
        datetime: UTCDateTime(),
        TaskState: _word(TaskState),
        Delivery: _word(Delivery),
        MailState: _word(MailState),
        Action: _word(Action),
    }


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


class EventRow(Base):
    """One line of the audit trail (see `chain.Event`); rows are only ever added.

    A purge drops `text` and `salt`; what the hash covers stays.
    """

    __tablename__ = "events"
    __table_args__ = (
        sa.UniqueConstraint("request_id", "position"),
        {"sqlite_autoincrement": True},  # as for tasks; and a gap shows that rows were removed
    )

    id: orm.Mapped[int] = orm.mapped_column(LONG, primary_key=True)
    request_id: orm.Mapped[str] = orm.mapped_column(sa.ForeignKey("approval_requests.id"))
    position: orm.Mapped[int]
    task_id: orm.Mapped[int | None] = orm.mapped_column(LONG, sa.ForeignKey("tasks.id"))
    at: orm.Mapped[datetime]
    kind: orm.Mapped[str] = orm.mapped_column(sa.String(32))
    text: orm.Mapped[str | None]
    salt: orm.Mapped[bytes | None]
    digest: orm.Mapped[bytes]
    hash: orm.Mapped[bytes]


class JobRow(Base):
    """A promise to act. `due` moves forward while a lease runs, so an expired lease is just due."""

    __tablename__ = "jobs"
    __table_args__ = (
        sa.UniqueConstraint("kind", "subject"),
        sa.Index(
            "ix_jobs_lane_due",
            "lane",
            "due",
            sqlite_where=sa.text("parked_at IS NULL"),
            postgresql_where=sa.text("parked_at IS NULL"),
        ),
        sa.Index(
            "ix_jobs_parked_at",
            "parked_at",
            sqlite_where=sa.text("parked_at IS NOT NULL"),
            postgresql_where=sa.text("parked_at IS NOT NULL"),
        ),
    )

    id: orm.Mapped[str] = orm.mapped_column(sa.String(32), primary_key=True)
    kind: orm.Mapped[str] = orm.mapped_column(sa.String(16))
    subject: orm.Mapped[str] = orm.mapped_column(sa.String(64))
    request_id: orm.Mapped[str | None] = orm.mapped_column(
        sa.ForeignKey("approval_requests.id"), index=True
    )
    lane: orm.Mapped[str] = orm.mapped_column(sa.String(16))
    made_at: orm.Mapped[datetime]
    due: orm.Mapped[datetime]
    attempts: orm.Mapped[int]
    run: orm.Mapped[int]
    lease: orm.Mapped[str | None] = orm.mapped_column(sa.String(32))
    error: orm.Mapped[str | None]
    awaits: orm.Mapped[str | None] = orm.mapped_column(sa.String(16))
    awaits_since: orm.Mapped[datetime | None]
    parked_at: orm.Mapped[datetime | None]


class MachineRow(Base):
    """What the gate last knew of a machine: as it was when a decision about it was carried out."""

    __tablename__ = "machines"

    platform: orm.Mapped[str] = orm.mapped_column(sa.String(32), primary_key=True)
    key: orm.Mapped[str] = orm.mapped_column(sa.String(255), primary_key=True)
    machine: orm.Mapped[Machine] = orm.mapped_column(Value(Machine))
    seen_at: orm.Mapped[datetime] = orm.mapped_column(index=True)


class AlertRow(Base):
    """A kind of trouble and when the operator was last told of it."""

    __tablename__ = "alerts"

    key: orm.Mapped[str] = orm.mapped_column(sa.String(64), primary_key=True)
    title: orm.Mapped[str]
    text: orm.Mapped[str]
    advice: orm.Mapped[str]
    noted_at: orm.Mapped[datetime]
    told_at: orm.Mapped[datetime | None]


class WakeRow(Base):
    """That an engine outside the gate has to be told of a change; see `store/wakes.py`."""

    __tablename__ = "wakes"

    owner: orm.Mapped[str] = orm.mapped_column(sa.String(32), primary_key=True)
    sequence: orm.Mapped[str] = orm.mapped_column(sa.String(32))
    made_at: orm.Mapped[datetime] = orm.mapped_column(index=True)


# As plain tables, for what runs with every callback, press and job.
REQUESTS, TASKS, APPROVERS, VOTES, EVENTS, JOBS, MACHINES, ALERTS, WAKES = (
    cast(sa.Table, row.__table__)
    for row in (
        *(RequestRow, TaskRow, ApproverRow, VoteRow, EventRow, JobRow),
        *(MachineRow, AlertRow, WakeRow),
    )
)

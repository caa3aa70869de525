"""What is still to be done, and who has to hear of it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm

from approval.store.tables.base import Base


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


class WakeRow(Base):
    """That an engine outside the gate has to be told of a change; see `store/wakes.py`."""

    __tablename__ = "wakes"

    owner: orm.Mapped[str] = orm.mapped_column(sa.String(32), primary_key=True)
    sequence: orm.Mapped[str] = orm.mapped_column(sa.String(32))
    made_at: orm.Mapped[datetime] = orm.mapped_column(index=True)

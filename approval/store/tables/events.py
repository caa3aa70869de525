"""The audit trail."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm

from approval.store.tables.base import LONG, Base


class EventRow(Base):
    """One line of the audit trail (see `chain.Event`); rows are only ever added.

    A purge drops `text` and `salt`; what the hash covers stays.
    """

    __tablename__ = "events"
    __table_args__ = (
        sa.UniqueConstraint("request_id", "position"),
        {"sqlite_autoincrement": True},  # so a gap shows that rows were removed
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

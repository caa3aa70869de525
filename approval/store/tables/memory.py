"""What is remembered whatever becomes of a request."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm

from approval.model import Machine
from approval.store.tables.base import Base, Value


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

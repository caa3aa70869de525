"""What is remembered whatever becomes of a request."""

import sqlalchemy as sa

from approval.model import Machine
from approval.store.tables.base import METADATA, TIME, Value, column

# What the gate last knew of a machine: as it was when a decision about it was carried out.
MACHINES = sa.Table(
    "machines",
    METADATA,
    column("platform", sa.String(32), primary_key=True),
    column("key", sa.String(255), primary_key=True),
    column("machine", Value(Machine)),
    column("seen_at", TIME, index=True),
)

# A kind of trouble and when the operator was last told of it.
ALERTS = sa.Table(
    "alerts",
    METADATA,
    column("key", sa.String(64), primary_key=True),
    column("title", sa.String()),
    column("text", sa.String()),
    column("advice", sa.String()),
    column("noted_at", TIME),
    column("told_at", TIME, nullable=True),
)

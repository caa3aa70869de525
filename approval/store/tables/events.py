"""The audit trail."""

import sqlalchemy as sa

from approval.store.tables.base import LONG, METADATA, TIME, column

# One row is one line of the trail (see `chain.Event`); rows are only ever added. A purge drops
# `text` and `salt`; what the hash covers stays.
EVENTS = sa.Table(
    "events",
    METADATA,
    column("id", LONG, primary_key=True),
    column("request_id", sa.String(32), sa.ForeignKey("approval_requests.id")),
    column("position", sa.Integer()),
    column("task_id", LONG, sa.ForeignKey("tasks.id"), nullable=True),
    column("at", TIME),
    column("kind", sa.String(32)),
    column("text", sa.String(), nullable=True),
    column("salt", sa.LargeBinary(), nullable=True),
    column("digest", sa.LargeBinary()),
    column("hash", sa.LargeBinary()),
    sa.UniqueConstraint("request_id", "position"),
    sqlite_autoincrement=True,  # so a gap shows that rows were removed
)

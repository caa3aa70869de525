"""What is still to be done, and who has to hear of it."""

import sqlalchemy as sa

from approval.store.tables.base import METADATA, TIME, column, partial_index

# A promise to act. `due` moves forward while a lease runs, so an expired lease is just due.
JOBS = sa.Table(
    "jobs",
    METADATA,
    column("id", sa.String(32), primary_key=True),
    column("kind", sa.String(16)),
    column("subject", sa.String(64)),
    column(
        "request_id",
        sa.String(32),
        sa.ForeignKey("approval_requests.id"),
        nullable=True,
        index=True,
    ),
    column("lane", sa.String(16)),
    column("made_at", TIME),
    column("due", TIME),
    column("attempts", sa.Integer()),
    column("run", sa.Integer()),
    column("lease", sa.String(32), nullable=True),
    column("error", sa.String(), nullable=True),
    column("awaits", sa.String(16), nullable=True),
    column("awaits_since", TIME, nullable=True),
    column("parked_at", TIME, nullable=True),
    sa.UniqueConstraint("kind", "subject"),
    partial_index("ix_jobs_lane_due", "lane", "due", where="parked_at IS NULL"),
    partial_index("ix_jobs_parked_at", "parked_at", where="parked_at IS NOT NULL"),
)

# That an engine outside the gate has to be told of a change; see `store/wakes.py`.
WAKES = sa.Table(
    "wakes",
    METADATA,
    column("owner", sa.String(32), primary_key=True),
    column("sequence", sa.String(32)),
    column("made_at", TIME, index=True),
)

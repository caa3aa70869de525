"""Links that were withdrawn, renewed, or locked after wrong codes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    op.add_column("approvers", sa.Column("revoked_at", time, nullable=True))
    op.add_column("approvers", sa.Column("renewed_at", time, nullable=True))
    op.add_column(
        "approvers", sa.Column("wrong_codes", sa.Integer(), nullable=False, server_default="0")
    )
    op.create_index("ix_approvers_renewed_at", "approvers", ["renewed_at"])

"""How often an approver was reminded, and when the gate declines what nobody has decided."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    op.add_column("approval_requests", sa.Column("decline_at", time, nullable=True))
    op.add_column(
        "approvers", sa.Column("reminders", sa.Integer(), nullable=False, server_default="0")
    )

"""What a job awaits, and since when."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("awaits", sa.String(length=16), nullable=True))
    op.add_column("jobs", sa.Column("awaits_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "awaits_since")
    op.drop_column("jobs", "awaits")

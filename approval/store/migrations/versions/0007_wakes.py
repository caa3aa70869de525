"""Wakes: what another engine has to be told of."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "wakes",
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("sequence", sa.String(length=32), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_wakes")),
    )
    op.create_index(op.f("ix_wakes_made_at"), "wakes", ["made_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_wakes_made_at"), "wakes")
    op.drop_table("wakes")

"""By their marks, the keys that sign links, one after another."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "signing",
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mark", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("since", "mark", name=op.f("pk_signing")),
    )


def downgrade() -> None:
    op.drop_table("signing")

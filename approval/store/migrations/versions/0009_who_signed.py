"""By its mark, the key that signed the links in an approver's last mail."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("approvers", sa.Column("signed_by", sa.String(length=16), nullable=True))


def downgrade() -> None:
    op.drop_column("approvers", "signed_by")

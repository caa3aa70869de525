"""Ids of 64 bits on PostgreSQL; SQLite's are as long from the start."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

IDS = ("tasks", "approvers", "votes", "events")
REFERENCES = (("votes", "task_id"), ("votes", "approver_id"), ("events", "task_id"))


def upgrade() -> None:
    _change("BIGINT", sa.BigInteger())


def downgrade() -> None:
    _change("INTEGER", sa.Integer())


def _change(word: str, kind: sa.types.TypeEngine[int]) -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in IDS:
        op.alter_column(table, "id", type_=kind)
        op.execute(f"ALTER SEQUENCE {table}_id_seq AS {word}")
    for table, column in REFERENCES:
        op.alter_column(table, column, type_=kind)

"""Runs the migrations on the connection that `migrate.upgrade` hands over."""

from typing import Literal

import sqlalchemy as sa
from alembic import context

from approval.store.tables import METADATA, UTCDateTime, Value


def plain(kind: str, item: object, _: object) -> str | Literal[False]:
    """Write our column types as what they are in SQL, so that migrations need no code of today."""
    if isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, Value):
        return "sa.JSON()"
    if isinstance(item, sa.Enum):
        return f"sa.String({item.length})"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite changes tables by copying them
    render_item=plain,
)
context.run_migrations()

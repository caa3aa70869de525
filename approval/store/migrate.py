"""Migrations: bring a database to the tables that this version works with."""

from pathlib import Path

import sqlalchemy as sa

from approval.store.database import Database, StoreDown
from approval.store.session import Session

FOLDER = Path(__file__).parent / "migrations"
# A table that is there while a copy is made into a store, so that nobody works with half of it.
UNFINISHED = "unfinished_copy"
PART = "holds a part of a copy; run the same 'approval db copy' again"


class Unfinished(StoreDown):
    """Raised if a store holds a part of a copy, with which nobody is to work."""


def upgrade(database: Database, to: str = "head") -> None:
    """Apply what is missing, up to a revision, all in one transaction. Raises StoreDown."""
    with database.connection() as connection:
        apply(connection, to)


def apply(connection: sa.Connection, to: str = "head") -> None:
    """Apply what is missing in the transaction of this connection."""
    # Only here: a gate that finds its tables in place does without Alembic and its 8 MB.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def is_empty(database: Database) -> bool:
    """Whether nobody has set it up yet, whatever else it may hold. Raises StoreDown."""
    with database.read() as session:
        return not sa.inspect(session.connection).has_table("alembic_version")


def is_current(database: Database) -> bool:
    """Whether nothing is missing. Raises StoreDown, also for a copy that was not finished."""
    with database.read() as session:
        if is_unfinished(session):
            raise Unfinished(PART)
        return is_newest(session)


def is_newest(session: Session) -> bool:
    """Whether the tables are those of this version."""
    newest = max(file.name.split("_")[0] for file in FOLDER.glob("versions/[0-9]*.py"))
    if not sa.inspect(session.connection).has_table("alembic_version"):
        return False
    version: str | None = session.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return bool(version == newest)


def is_unfinished(session: Session) -> bool:
    """Whether it holds a part of a copy."""
    return sa.inspect(session.connection).has_table(UNFINISHED)

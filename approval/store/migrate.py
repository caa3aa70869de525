"""Migrations: bring a database to the tables that this version works with."""

from pathlib import Path

import sqlalchemy as sa

from approval.store.database import Database

FOLDER = Path(__file__).parent / "migrations"


def upgrade(database: Database, to: str = "head") -> None:
    """Apply what is missing, up to a revision, all in one transaction. Raises StoreDown."""
    # Only here: a gate that finds its tables in place does without Alembic and its 8 MB.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    with database.connection() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def is_empty(database: Database) -> bool:
    """Whether nobody has set it up yet. Raises StoreDown."""
    with database.read() as session:
        return not sa.inspect(session.connection()).has_table("alembic_version")


def is_current(database: Database) -> bool:
    """Whether nothing is missing. Raises StoreDown."""
    newest = max(file.name.split("_")[0] for file in FOLDER.glob("versions/[0-9]*.py"))
    with database.read() as session:
        if not sa.inspect(session.connection()).has_table("alembic_version"):
            return False
        version: str | None = session.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return bool(version == newest)

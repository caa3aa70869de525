"""`approval db`: set up, upgrade and back up what is kept."""

import sys
from pathlib import Path

import click

from approval.cli.keys import KeyBroken, copy_keys
from approval.cli.opening import load_config, open_store, settings_option
from approval.store import migrate
from approval.store.backup import BackupFailed, back_up


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@settings_option
def upgrade(file: Path) -> None:
    """Bring the tables up to this version.

    With SQLite 'approval serve' does it by itself.
    """
    with open_store(load_config(file)) as database:
        migrate.upgrade(database)
    click.echo("up to date")


@db.command()
@settings_option
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def backup(file: Path, folder: Path) -> None:
    """Copy database and link keys into FOLDER, while the gate serves."""
    config = load_config(file)
    if config.database_file is None:
        click.echo("problem  [server] database: PostgreSQL is backed up with pg_dump", err=True)
        sys.exit(2)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        copy = folder / config.database_file.name
        back_up(config.database_file, copy)
        keys = copy_keys(config, folder)
    except (BackupFailed, KeyBroken, OSError) as error:
        click.echo(f"problem  {error}", err=True)
        sys.exit(1)
    click.echo(f"{copy} holds all that is kept")
    click.echo(f"{keys} holds the link keys" if keys else "the link keys stand in the settings")

"""`approval db`: set up, upgrade and back up what is kept."""

import sys
from pathlib import Path

import click

from approval.cli import copying, moving
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


@db.command()
@settings_option
@click.argument("source", metavar="FROM", callback=copying.address)
@click.argument("target", metavar="TO", callback=copying.address)
def copy(file: Path, source: str, target: str) -> None:
    """Copy everything to another database.

    From SQLite to PostgreSQL, back, or between two of a kind. Stop all gates first, and start
    none before the end. FROM is only read; TO is to be empty. Every row is compared at the end.
    Whatever ends this, run the same again: it goes on. Only leases of gates that are gone are
    left out.

    Both are addresses as in '[server] database'; of the one that is named there the password is
    known, that of another can stand in ~/.pgpass.
    """
    config = load_config(file)
    source, target = moving.place(config, source), moving.place(config, target)
    try:
        if moving.is_same(source, target):
            raise click.UsageError("FROM and TO are the same database; name another one")
        rows, was_there = copying.copy(source, target)
    except (copying.Ended, OSError) as error:
        click.echo(f"problem  {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo(f"problem  interrupted; {copying.AGAIN}", err=True)
        sys.exit(1)
    for table, count in rows.items():
        click.echo(f"{table:18}{count:12}")
    end = "was copied before, nothing was changed" if was_there else "copied"
    click.echo(f"{end}: {sum(rows.values())} rows, each compared")
    click.echo("start no gate with FROM any more; in workflow.cfg, [server]:")
    for line in moving.advice(config, source, target):
        click.echo(f"  {line}")

"""What most commands begin with: the settings and the store, or an end with the reason named."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click
from sqlalchemy import make_url

from approval.cli.engines import open_database
from approval.config import Config, ConfigError, Examined, examine, load
from approval.store import migrate
from approval.store.database import Database, StoreDown
from approval.store.sqlite import is_writable

NOT_THERE = "there is no such file: no gate with these settings has kept anything yet"

settings_option = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, readable=False),  # what is read tells more
    default=Path("workflow.cfg"),
    show_default=True,
    help="The settings file.",
)


class Command(click.Command):
    """A command without arguments, which tells how to name the settings to who gives it one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.allow_extra_args = True
        for word in super().parse_args(ctx, args):
            ctx.fail(f"Got unexpected extra argument {word}; settings are named as --config {word}")
        return []


def load_config(file: Path) -> Config:
    """The settings, or an end with every problem named."""
    with _told():
        return load(file, os.environ)


def examine_config(file: Path) -> Examined:
    """The settings, right or wrong, or an end if they cannot be read at all."""
    with _told():
        return examine(file, os.environ)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"problem  {problem}", err=True)
        sys.exit(2)


@contextmanager
def open_store(config: Config, *, reading: bool = False) -> Iterator[Database]:
    """The store, or an end with the reason named; who is `reading` needs not write."""
    try:
        with closing(open_database(config, patient=True, reading=reading)) as database:
            yield database
    except StoreDown as error:
        cure = _how_to_read(config) if reading else ""
        click.echo(f"problem  [server] database: {config.shown_database}: {error}{cure}", err=True)
        sys.exit(1)


def _how_to_read(config: Config) -> str:
    """What an account needs that may not write, if this is one."""
    file = config.database_file
    if file is None or is_writable(make_url(config.database)):
        return ""
    return (
        f"; an account that may not write there can read while the gate serves, if it may read "
        f"{file.name}, {file.name}-wal and {file.name}-shm; else read a copy that is its own"
    )


@contextmanager
def open_current(config: Config, *, reading: bool = False) -> Iterator[Database]:
    """The store with the tables of this version, or an end with the reason named."""
    with open_store(config, reading=reading) as database:
        if config.database_file and not config.database_file.exists():
            raise StoreDown(NOT_THERE)
        if not migrate.is_current(database):
            raise StoreDown("it lacks the tables of this version; run 'approval db upgrade'")
        yield database

"""What most commands begin with: the settings and the store, or an end with the reason named."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click

from approval.config import Config, ConfigError, load
from approval.store import migrate
from approval.store.database import Database, StoreDown

settings_option = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    default=Path("workflow.cfg"),
    show_default=True,
    help="The settings file.",
)


def load_config(file: Path) -> Config:
    """The settings, or an end with every problem named."""
    try:
        return load(file, os.environ)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"problem  {problem}", err=True)
        sys.exit(2)


@contextmanager
def open_store(config: Config) -> Iterator[Database]:
    """The store, or an end with the reason named."""
    with closing(Database(config.database)) as database:
        try:
            yield database
        except StoreDown as error:
            click.echo(f"problem  [server] database: {config.database}: {error}", err=True)
            sys.exit(1)


@contextmanager
def open_current(config: Config) -> Iterator[Database]:
    """The store with the tables of this version, or an end with the reason named."""
    with open_store(config) as database:
        if not migrate.is_current(database):
            raise StoreDown("its tables are of another version; run 'approval db upgrade'")
        yield database

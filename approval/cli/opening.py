"""What most commands begin with: the settings and the store, or an end with the reason named."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click
from sqlalchemy import make_url

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
    try:
        with closing(Database(config.database, patient=True)) as database:
            yield database
    except StoreDown as error:
        shown = make_url(config.database).render_as_string()  # without the password
        click.echo(f"problem  [server] database: {shown}: {error}", err=True)
        sys.exit(1)


@contextmanager
def open_current(config: Config) -> Iterator[Database]:
    """The store with the tables of this version, or an end with the reason named."""
    with open_store(config) as database:
        if not migrate.is_current(database):
            raise StoreDown("its tables are of another version; run 'approval db upgrade'")
        yield database

"""Where a measured gate keeps everything: a SQLite file, or a database on a PostgreSQL server.

Unlike in tests the server flushes each commit to the disk, as in life.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Protocol

import psycopg
import sqlalchemy as sa

from approval.store.database import Database
from approval.store.migrate import upgrade
from approval.store.tables import METADATA
from bench import stock
from tests import hosting

KEY = "the-measured-gates-own-key-of-enough-letters"
_numbers = count()


class Store(Protocol):
    """A database with all tables and, if wanted, a past."""

    @property
    def url(self) -> str: ...

    def fill(self, tasks: int) -> None:
        """Add so many decided tasks."""

    def pack(self) -> None:
        """Give back what no row needs any more, while nobody uses it."""

    def size(self) -> int:
        """Its bytes on the disk."""

    def tables(self) -> Mapping[str, int]:
        """The bytes of each table with its indexes."""

    def counted(self) -> Mapping[str, int]:
        """What the database counts of its own work, if it does."""


Stores = Callable[[Path], AbstractContextManager[Store]]


@dataclass(frozen=True)
class File:
    """A SQLite file."""

    path: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def fill(self, tasks: int) -> None:
        stock.fill_file(self.path, tasks)

    def pack(self) -> None:
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("VACUUM")

    def size(self) -> int:
        return self.path.stat().st_size

    def tables(self) -> Mapping[str, int]:
        pages = "SELECT sum(pgsize) FROM dbstat WHERE name IN ({})"
        owned = "SELECT name FROM sqlite_master WHERE tbl_name = '{}'"
        names = METADATA.tables
        return {name: value(self, pages.format(owned.format(name))) for name in names}

    def counted(self) -> Mapping[str, int]:
        return {}


@dataclass(frozen=True)
class Hosted:
    """A database on the PostgreSQL server."""

    name: str
    server: str

    @property
    def url(self) -> str:
        return hosting.url(self.name, self.server)

    def fill(self, tasks: int) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            stock.fill_hosted(connection, tasks)

    def pack(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("VACUUM FULL")

    def size(self) -> int:
        return value(self, "SELECT pg_database_size(current_database())")

    def tables(self) -> Mapping[str, int]:
        sizes = "SELECT pg_total_relation_size('{}')"
        return {name: value(self, sizes.format(name)) for name in METADATA.tables}

    def counted(self) -> Mapping[str, int]:
        commits = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        log = "SELECT pg_current_wal_lsn() - '0/0'"
        return {"commits": value(self, commits), "log": value(self, log)}


@contextmanager
def sqlite(folder: Path) -> Iterator[Store]:
    """A new file in a folder."""
    store = File(folder / "workflow.db")
    _set_up(store)
    yield store


@contextmanager
def postgresql(folder: Path) -> Iterator[Store]:
    """A new database on the one server of this process."""
    store = Hosted(f"bench_{next(_numbers)}", _server())
    _tell(f"CREATE DATABASE {store.name}")
    _set_up(store)
    try:
        yield store
    finally:
        _tell(f"DROP DATABASE {store.name} WITH (FORCE)")


def value(store: Store, query: str) -> int:
    """What a query counts, as another program sees it."""
    with closing(Database(store.url)) as database, database.read() as session:
        return int(session.scalar(sa.text(query)) or 0)


def _set_up(store: Store) -> None:
    with closing(Database(store.url)) as database:
        upgrade(database)


@cache
def _server() -> str:
    return hosting.start({})


def _tell(statement: str) -> None:
    with psycopg.connect(Hosted("postgres", _server()).url, autocommit=True) as connection:
        connection.execute(statement)

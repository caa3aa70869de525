"""Stores for tests: a SQLite file, or a database on a real PostgreSQL server, with all tables.

Which of the two is chosen for each test; see `store_kind` in conftest.py.
"""

import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from approval.store.database import Database
from approval.store.migrate import upgrade
from tests import hosting, lending

KINDS = SQLITE, POSTGRESQL = "sqlite", "postgresql"
# What is in the server is thrown away.
HASTY = dict.fromkeys(("fsync", "full_page_writes", "synchronous_commit"), "off")
KEY = "the-tests-own-key-of-enough-letters"
_names = count()
_kind = [SQLITE]
_given_back: list["Hosted"] = []


def use(kind: str) -> None:
    """Make stores of this kind from now on."""
    _kind[0] = kind


def kind() -> str:
    """The kind of stores that are made now."""
    return _kind[0]


@dataclass(frozen=True)
class File:
    """A SQLite file as another program sees it."""

    path: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    @property
    def settings(self) -> str:
        """Lines of [server], for a file beside the settings."""
        return f"database = sqlite:///{self.path.name}\n"

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What another program finds."""
        with closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
            return connection.execute(query, values).fetchall()

    change = rows

    def copy(self, path: Path) -> "File":
        """The same in another place, while nobody has it open."""
        return File(Path(shutil.copy(self.path, path)))


@dataclass(frozen=True)
class Hosted:
    """A database on the PostgreSQL server as another program sees it."""

    name: str
    server: str

    @property
    def url(self) -> str:
        return hosting.url(self.name, self.server)

    @property
    def settings(self) -> str:
        """Lines of [server]."""
        return f"database = {self.url}\nsecret_key = {KEY}\n"

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What another program finds."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            found = connection.execute(query.replace("?", "%s"), values or None)
            return found.fetchall() if found.description else []

    change = rows

    def copy(self, path: object = None) -> "Hosted":
        """The same under another name, while nobody has it open."""
        copied = Hosted(f"test_{next(_names)}", self.server)
        _server().psql(f"CREATE DATABASE {copied.name} TEMPLATE {self.name}")
        return copied

    def drop(self) -> None:
        _server().psql(f"DROP DATABASE {self.name} WITH (FORCE)")


Store = File | Hosted


@contextmanager
def bare(folder: Path, name: str = "approval.db", of: str | None = None) -> Iterator[Store]:
    """A store without tables, of the kind that is made now or of another."""
    file = (of or kind()) == SQLITE
    store = File(folder / name) if file else _server().hosted("template1").copy()
    with _dropped(store):
        yield store


@contextmanager
def fresh(folder: Path, name: str = "approval.db", of: str | None = None) -> Iterator[Store]:
    """A store with all tables and nothing in them."""
    with copied(_empty(of or kind()), folder / name) as store:
        yield store


@contextmanager
def lent(folder: Path, name: str = "approval.db") -> Iterator[Store]:
    """The same, perhaps one that another test has given back: its server knows what that did."""
    if kind() == SQLITE:
        with fresh(folder, name) as store:
            yield store
        return
    store = _given_back.pop() if _given_back else _empty(POSTGRESQL).copy()
    assert isinstance(store, Hosted)
    try:
        yield store
    finally:
        if lending.empty(store.url, _shape()):
            _given_back.append(store)
        else:
            store.drop()


def file(path: Path) -> File:
    """A new SQLite file with all tables, whatever kind of stores is made now."""
    empty = _empty(SQLITE)
    assert isinstance(empty, File)
    return empty.copy(path)


@contextmanager
def copied(store: Store, path: Path) -> Iterator[Store]:
    """A store with the same in it; nobody may have the first one open."""
    copy = store.copy(path)
    with _dropped(copy):
        yield copy


@contextmanager
def _dropped(store: Store) -> Iterator[None]:
    try:
        yield
    finally:
        if isinstance(store, Hosted):
            store.drop()


@contextmanager
def opened(store: Store) -> Iterator[Database]:
    """A store, as one process has it open."""
    with closing(Database(store.url)) as database:
        yield database


@contextmanager
def fresh_opened(folder: Path) -> Iterator[Database]:
    """An empty database of one's own."""
    with fresh(folder) as store, opened(store) as database:
        yield database


@cache
def _empty(kind: str) -> Store:
    store = File(_folder() / "empty.db") if kind == SQLITE else _server().hosted("template1").copy()
    with opened(store) as database:
        upgrade(database)
    return store


@cache
def _shape() -> str:
    return lending.shape(_empty(POSTGRESQL).url)


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="stores-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class _Server:
    """The PostgreSQL server of this process alone."""

    def __init__(self) -> None:
        self._host = hosting.start(HASTY)
        self._connection = psycopg.connect(self.hosted("postgres").url, autocommit=True)

    def hosted(self, name: str) -> Hosted:
        return Hosted(name, self._host)

    def psql(self, statement: str) -> None:
        self._connection.execute(statement)


@cache
def _server() -> _Server:
    return _Server()


def maintenance() -> str:
    """Where an administrator of the PostgreSQL server connects."""
    return _server().hosted("postgres").url

"""SQLite: a file that one process has for itself, and what makes it hold what it promises."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager

import sqlalchemy as sa
from sqlalchemy import orm

from approval.store.groupcommit import GroupCommit

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # NORMAL may lose the last commits when the power fails
    "busy_timeout=2000",  # milliseconds; only a command beside the gate can hold the lock
    "foreign_keys=ON",
    "cache_size=-512",  # KiB for each connection; the operating system caches the file
)


class SQLite:
    """Transactions on a file. One thread writes at a time; those that wait share a commit."""

    shared = False

    def __init__(self, url: sa.URL) -> None:
        self.reader = sa.create_engine(
            url,
            pool_size=8,
            max_overflow=32,
            pool_use_lifo=True,
            hide_parameters=True,  # errors are logged; names and comments are not
        )
        self._writer = self.reader.execution_options(begin="IMMEDIATE")
        sa.event.listen(self.reader, "connect", _set_up)
        sa.event.listen(self.reader, "begin", _begin)
        self._groups = GroupCommit(self._writer)

    def write(self) -> AbstractContextManager[orm.Session]:
        """One write transaction."""
        return self._groups.write()

    def upgrade(self) -> AbstractContextManager[sa.Connection]:
        """A connection for the migrations."""
        return self._writer.begin()

    def announce(self, session: orm.Session, lanes: Collection[str]) -> None:
        """Nobody else works on this file."""

    def listen(self, hear: Callable[[Collection[str]], None]) -> None:
        """Nobody else works on this file."""

    def close(self) -> None:
        """Close all connections."""
        self.reader.dispose()


def _set_up(connection: sa.engine.interfaces.DBAPIConnection, record: object) -> None:
    connection.isolation_level = None  # we begin transactions ourselves
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    kind = connection.get_execution_options().get("begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {kind}")

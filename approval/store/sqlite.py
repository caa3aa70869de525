"""SQLite: a file that one process has for itself, and what makes it hold what it promises."""

import os
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from approval.store.groupcommit import GroupCommit
from approval.store.session import Session

WRITING = (
    "journal_mode=WAL",
    "synchronous=FULL",  # NORMAL may lose the last commits when the power fails
)
PRAGMAS = (
    "busy_timeout=2000",  # milliseconds; only a command beside the gate can hold the lock
    "foreign_keys=ON",
    "cache_size=-512",  # KiB for each connection; the operating system caches the file
)


class SQLite:
    """Transactions on a file. One thread writes at a time; those that wait share a commit.

    With `reading`, a file that this account may not write is only read; `untouched`, any file is.
    """

    shared = False

    def __init__(self, url: sa.URL, *, reading: bool = False, untouched: bool = False) -> None:
        reads = untouched or (reading and not is_writable(url))
        self.reader = sa.create_engine(
            _only_read(url) if reads else url,
            pool_size=8,
            max_overflow=32,
            pool_use_lifo=True,
            hide_parameters=True,  # errors are logged; names and comments are not
        )
        self._writer = self.reader.execution_options(begin="IMMEDIATE")
        sa.event.listen(self.reader, "connect", partial(_set_up, reads))
        sa.event.listen(self.reader, "begin", _begin)
        self._groups = GroupCommit(self._writer)

    def write(self) -> AbstractContextManager[Session]:
        """One write transaction."""
        return self._groups.write()

    def upgrade(self) -> AbstractContextManager[sa.Connection]:
        """A connection for the migrations."""
        return self._writer.begin()

    def announce(self, session: Session, lanes: Collection[str]) -> None:
        """Nobody else works on this file."""

    def listen(self, hear: Callable[[Collection[str]], None]) -> None:
        """Nobody else works on this file."""

    def close(self) -> None:
        """Close all connections."""
        self.reader.dispose()


def is_writable(url: sa.URL) -> bool:
    """Whether this account may write the file, or make it."""
    file = Path(url.database or "")
    return os.access(file if file.exists() else file.parent, os.W_OK, effective_ids=True)


def _only_read(url: sa.URL) -> sa.URL:
    """Not as one that cannot change, for whoever serves goes on writing."""
    file = quote(str(Path(url.database or "").resolve()))
    return url.set(database=f"file:{file}").update_query_dict({"mode": "ro", "uri": "true"})


def _set_up(reads: bool, connection: sa.engine.interfaces.DBAPIConnection, record: object) -> None:
    connection.isolation_level = None  # we begin transactions ourselves
    cursor = connection.cursor()
    for pragma in PRAGMAS if reads else WRITING + PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    kind = connection.get_execution_options().get("begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {kind}")

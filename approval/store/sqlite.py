"""SQLite: a file that one process has for itself, and what makes it hold what it promises."""

import os
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from approval.store.groupcommit import BEGIN, GroupCommit
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
UPGRADE = 60  # seconds that whoever upgrades waits for another one to be done
LOOK = 0.05  # seconds between two tries to connect to a file that is being made


class SQLite:
    """Transactions on a file. One thread writes at a time; those that wait share a commit.

    With `reading`, a file that this account may not write is only read; `untouched`, any file is.
    """

    shared = False

    def __init__(self, url: sa.URL, *, reading: bool = False, untouched: bool = False) -> None:
        reads = untouched or (reading and not is_writable(url))
        self._engine = sa.create_engine(
            _only_read(url) if reads else url,
            pool_size=8,
            max_overflow=32,
            pool_use_lifo=True,
            hide_parameters=True,  # errors are logged; names and comments are not
        )
        sa.event.listen(self._engine, "connect", partial(_set_up, reads))
        self._groups = GroupCommit(self._engine)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One read transaction."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection

    def write(self) -> AbstractContextManager[Session]:
        """One write transaction."""
        return self._groups.write()

    @contextmanager
    def upgrade(self) -> Iterator[sa.Connection]:
        """A connection for the migrations, once nobody else upgrades."""
        with self._connected_at_last() as connection, connection.begin():
            connection.detach()  # nobody else is to be as patient
            connection.exec_driver_sql(f"PRAGMA busy_timeout={1000 * UPGRADE}")
            connection.exec_driver_sql(BEGIN)
            yield connection

    def _connected_at_last(self) -> sa.Connection:
        """A connection to a file that another may just be making: SQLite does not wait for that."""
        until = time.monotonic() + UPGRADE
        while True:
            try:
                return self._engine.connect()
            except sa.exc.OperationalError as error:
                code = getattr(error.orig, "sqlite_errorcode", None)
                if code != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
            time.sleep(LOOK)

    def announce(self, session: Session, lanes: Collection[str]) -> None:
        """Nobody else works on this file."""

    def listen(self, hear: Callable[[Collection[str]], None]) -> None:
        """Nobody else works on this file."""

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def is_writable(url: sa.URL) -> bool:
    """Whether this account may write the file, or make it."""
    file = Path(url.database or "")
    return os.access(file if file.exists() else file.parent, os.W_OK, effective_ids=True)


def _only_read(url: sa.URL) -> sa.URL:
    """Not as one that cannot change, for whoever serves goes on writing."""
    file = quote(str(Path(url.database or "").resolve()))
    return url.set(database=f"file:{file}").update_query_dict({"mode": "ro", "uri": "true"})


def _set_up(reads: bool, connection: sa.engine.interfaces.DBAPIConnection, record: object) -> None:
    # We begin transactions ourselves, by a statement: with an event for that, SQLAlchemy would look
    # for listeners twice with each statement.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS if reads else WRITING + PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()

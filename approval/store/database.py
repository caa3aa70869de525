"""The database: transactions, and what makes SQLite hold what it promises."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy import orm

from approval.store.groupcommit import GroupCommit, NotCommitted

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # NORMAL may lose the last commits when the power fails
    "busy_timeout=2000",  # milliseconds; only a command beside the gate can hold the lock
    "foreign_keys=ON",
    "cache_size=-512",  # KiB for each connection; the operating system caches the file
)
Wake = Callable[[Collection[str]], None]


class StoreDown(Exception):
    """Raised if the database cannot be reached or written just now; nothing was stored."""


class Database:
    """Hands out sessions, each one transaction.

    `wake` is called after a commit with the lanes in which jobs were added.
    """

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(
            url,
            pool_size=8,
            max_overflow=32,
            pool_use_lifo=True,
            hide_parameters=True,  # errors are logged; names and comments are not
        )
        self._writer = self._engine.execution_options(begin="IMMEDIATE")
        self._write = orm.sessionmaker(self._writer, expire_on_commit=False).begin
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _set_up_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)
            self._write = GroupCommit(self._writer).write
        self.wake: Wake = lambda lanes: None

    @contextmanager
    def write(self) -> Iterator[orm.Session]:
        """Open one write transaction; commits at the end. Raises StoreDown."""
        with _translated():
            with self._write() as session:
                yield session
            if lanes := session.info.get("lanes"):
                self.wake(lanes)

    @contextmanager
    def read(self) -> Iterator[orm.Session]:
        """Open one read transaction. Raises StoreDown."""
        with _translated(), orm.Session(self._engine) as session:
            yield session

    @contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        """Open a bare connection in a write transaction, for the migrations."""
        with _translated(), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sa.exc.IntegrityError:
        raise  # a bug of ours, not a state of the database
    except sa.exc.DBAPIError as error:
        raise StoreDown(str(error.orig)) from error
    except (sa.exc.TimeoutError, NotCommitted) as error:
        raise StoreDown(str(error)) from error


def _set_up_sqlite(connection: sa.engine.interfaces.DBAPIConnection, record: object) -> None:
    connection.isolation_level = None  # we begin transactions ourselves
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    kind = connection.get_execution_options().get("begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {kind}")

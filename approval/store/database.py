"""The database: transactions, on a SQLite file or a PostgreSQL server."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from approval.extras import how_to_install
from approval.store import wakes
from approval.store.groupcommit import NotCommitted, words
from approval.store.postgresql import PostgreSQL
from approval.store.session import Session
from approval.store.sqlite import SQLite

Wake = Callable[[Collection[str]], None]
DRIVER = f"PostgreSQL needs a driver that is not installed; {how_to_install('postgresql')}"


class StoreDown(Exception):
    """Raised if the database cannot be reached or written just now; nothing was stored."""


class Database:
    """Hands out sessions, each one transaction.

    `wake` is called after a commit with the lanes in which jobs were added. At most
    `connections` are open at the same time. Who is `patient` waits for slow answers of a server.
    Who is only `reading` needs not be allowed to write a SQLite file; `untouched` it stays even
    if that is allowed. With `hands_over` each transaction that adds jobs also leaves a wake for an
    engine outside.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int = 20,
        patient: bool = False,
        reading: bool = False,
        untouched: bool = False,
        hands_over: bool = False,
    ) -> None:
        self.hands_over = hands_over
        self._store = _store(url, connections, patient, reading, untouched)
        self.wake: Wake = lambda lanes: None

    @property
    def shared(self) -> bool:
        """Whether other processes may do the same work on the same database."""
        return self._store.shared

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open one write transaction; commits at the end. Raises StoreDown."""
        with _translated():
            with self._store.write() as session:
                yield session
                if self.hands_over:
                    wakes.add(session, session.changed)
                if session.lanes:
                    self._store.announce(session, session.lanes)
            if session.lanes:
                self.wake(session.lanes)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open one read transaction, which sees one moment of the store. Raises StoreDown."""
        with _translated(), self._store.read() as connection:
            yield Session(connection)

    @contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        """Open a bare connection to upgrade, which nobody else does meanwhile. Raises StoreDown."""
        with _translated(), self._store.upgrade() as connection:
            yield connection

    def listen(self) -> None:
        """Call `wake` also for the commits of other processes, until closed."""
        self._store.listen(lambda lanes: self.wake(lanes))

    def close(self) -> None:
        """Close all connections."""
        self._store.close()


def _store(
    url: str, connections: int, patient: bool, reading: bool, untouched: bool
) -> SQLite | PostgreSQL:
    kind = sa.make_url(url)
    if kind.get_backend_name() == "sqlite":
        return SQLite(kind, reading=reading, untouched=untouched)
    try:
        return PostgreSQL(kind, connections, patient)
    except ModuleNotFoundError as error:
        raise StoreDown(DRIVER) from error


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sa.exc.IntegrityError, sa.exc.DataError):
        raise  # a bug of ours, not a state of the database
    except sa.exc.DBAPIError as error:
        raise StoreDown(words(error)) from error
    except (sa.exc.TimeoutError, NotCommitted) as error:
        raise StoreDown(str(error)) from error

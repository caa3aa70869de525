"""PostgreSQL: a server that many processes share."""

import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa

from approval.store.session import Session

if TYPE_CHECKING:
    from approval.store.listening import Listener

CHANNEL = "approval"
UPGRADE = 0x6170_7076  # the advisory lock of whoever upgrades
CONNECT = 5  # seconds
# A peer that says nothing is taken for dead after about 25 seconds.
LINE = {
    "connect_timeout": CONNECT,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
# Milliseconds. No use case needs a second; whoever waits for longer had better try again.
LIMITS = {
    "statement_timeout": 8_000,
    "lock_timeout": 5_000,
    "idle_in_transaction_session_timeout": 60_000,
}
_announce = sa.select(sa.func.pg_notify(CHANNEL, sa.bindparam("news")))


class PostgreSQL:
    """Transactions on a server, at most `connections` at the same time.

    Raises ModuleNotFoundError if the driver is not installed: it comes with an extra of its own.
    """

    shared = True

    def __init__(self, url: sa.URL, connections: int, patient: bool) -> None:
        from approval.store import driver

        self._engine = sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=CONNECT,
            pool_recycle=1800,
            pool_use_lifo=True,  # so that those of a rush come to rest
            isolation_level="READ COMMITTED",  # whatever the server's default is
            hide_parameters=True,  # errors are logged; names and comments are not
            connect_args=LINE | {"options": _options(url, {} if patient else LIMITS)},
        )
        driver.set_up(self._engine, patient)
        # As with SQLite, whoever reads sees one moment; this is never aborted, as it only reads.
        self._reader = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._name = secrets.token_hex(4)
        self._listener: Listener | None = None

    def read(self) -> AbstractContextManager[sa.Connection]:
        """One read transaction."""
        return self._reader.connect()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One write transaction."""
        with self._engine.begin() as connection:
            yield Session(connection)

    @contextmanager
    def upgrade(self) -> Iterator[sa.Connection]:
        """A connection for the migrations; one process at a time has it."""
        with self._engine.begin() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(UPGRADE)))
            yield connection

    def announce(self, session: Session, lanes: Collection[str]) -> None:
        """Tell other processes of jobs, at the moment when they are committed."""
        news = " ".join([self._name, *dict.fromkeys(lanes)])
        session.execute(_announce, {"news": news})

    def listen(self, hear: Callable[[Collection[str]], None]) -> None:
        """Hear of the jobs that other processes add."""
        from approval.store.listening import Listener

        def heard(news: str) -> None:
            name, *lanes = news.split()
            if name != self._name:
                hear(lanes)

        self._listener = Listener(self._engine, CHANNEL, heard)
        self._listener.start()

    def close(self) -> None:
        """Close all connections."""
        if self._listener is not None:
            self._listener.stop()
        self._engine.dispose()


def _options(url: sa.URL, limits: dict[str, int]) -> str:
    """What the server is told at the beginning of each connection; the operator's own counts."""
    own = url.query.get("options", "")
    words = [f"-c {name}={value}" for name, value in limits.items()]
    return " ".join([*words, own if isinstance(own, str) else " ".join(own)]).strip()

"""A store at rest: no gate works with it and none begins to, while it has to stand still.

A SQLite file has a lock beside it that whoever serves it holds. On a PostgreSQL server nobody
holds anything for as long as a gate runs, but each gate stays connected.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from approval.store.database import Database, StoreDown
from approval.store.session import Session
from approval.store.tables import METADATA

COPYING = 0x6170_7063  # the advisory lock of whoever copies from or to a database
PAUSE = 0.1  # seconds between looks whether others have gone
LOOKS = 30  # a gate that has just ended is still seen for a moment
# Others of this account: whoever may write these tables without being told apart from a gate.
# It is told by whom it logged in as, which a role that is set later does not change.
_others = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND usename = session_user AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
_fresh = sa.text("SELECT pg_stat_clear_snapshot()")
_take = sa.select(sa.func.pg_try_advisory_xact_lock(COPYING))
# Those that write wait or fail; those that only read do not notice.
_stop = sa.text(f"LOCK TABLE {', '.join(METADATA.tables)} IN SHARE MODE")
_idle = sa.text("SET LOCAL idle_in_transaction_session_timeout = 0")  # whatever the server's is
_patience = sa.text("SET LOCAL lock_timeout = 5000")  # milliseconds; vacuuming makes way sooner
_version = sa.text("PRAGMA data_version")  # another one as soon as somebody else has written
AGAIN = "let nobody work with it, empty TO or name another one, then run this again"


class InUse(Exception):
    """Raised if a gate, or somebody who copies, works with the store."""


@contextmanager
def alone(file: Path | None) -> Iterator[None]:
    """Hold the lock that keeps gates off a SQLite file, if it is one. Raises InUse, StoreDown.

    It lies beside the file itself, where SQLite has its own, by whatever link that is named.
    """
    if file is None:
        yield
        return
    itself = file.resolve()
    try:
        lock = itself.with_name(itself.name + ".lock").open("a")  # which empties nothing
    except OSError as error:
        raise StoreDown(f"the gate has to write into {itself.parent}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InUse(f"another gate serves {file} already; stop it first") from error
        yield


@contextmanager
def standing(database: Database) -> Iterator[Session]:
    """One moment of a store that nobody writes meanwhile. Raises InUse.

    The tables have to be there. For a SQLite file hold its lock first (see `alone`), and at the
    end `see_unchanged`, for that lock keeps off gates and not commands.
    """
    with kept(database):
        pass  # a gate that is there is told as such, and not as a lock that cannot be had
    with database.read() as session:
        if database.shared:
            # First of all, for from its first look on a transaction sees nothing newer.
            session.execute(_patience)
            session.execute(_stop)
            _see_alone(session)
        else:
            session.version = session.scalar(_version)
        yield session


def see_unchanged(session: Session) -> None:
    """See that nobody has written what was `standing`, nor waits to. Raises InUse.

    A file may be written from here on; tables on a server stay locked to the end.
    """
    if session.version is not None:
        session.connection.rollback()
        if session.scalar(_version) != session.version:
            raise InUse(f"it was written meanwhile; {AGAIN}")
        return
    try:
        _see_alone(session)
    except InUse as error:
        raise InUse(f"somebody has begun to work with it meanwhile: {error}; {AGAIN}") from error


@contextmanager
def kept(database: Database) -> Iterator[Callable[[], None]]:
    """Keep gates that are there, and others who copy, off a store to be filled. Raises InUse.

    Yields how to look again, which raises InUse too, also for connections of the one that fills
    it: that has a Database of its own. For a SQLite file hold its lock instead (see `alone`).
    """
    if not database.shared:
        yield lambda: None
        return
    with database.read() as session:
        _see_alone(session)
        yield partial(_see_alone, session)


def _see_alone(session: Session) -> None:
    session.execute(_idle)
    if not session.scalar(_take):
        raise InUse("somebody copies it already, or it is named twice")
    for _ in range(LOOKS):
        session.execute(_fresh)
        others = session.scalar(_others)
        if not others:
            return
        time.sleep(PAUSE)
    raise InUse(
        f"{others} others are connected with the same account; stop all gates first, "
        "and whatever else uses this account"
    )

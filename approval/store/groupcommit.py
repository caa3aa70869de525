"""Group commit: use cases that wait for the disk at the same time share one flush.

SQLite has one writer, and a commit costs a flush of the disk: 0.1 ms here, 5 ms there. Each
use case opens a transaction or is a savepoint in one that is open already. Whoever ends
and finds nobody behind them commits for all. Nobody is told of success before that commit,
and if it fails, everybody is told.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress

import sqlalchemy as sa

from approval.store.session import Session

BEGIN = "BEGIN IMMEDIATE"  # one that is to write; else it might have to give up halfway


class NotCommitted(Exception):
    """Raised if a group could not be committed; nothing of any of its use cases was stored."""


class _Group:
    """The use cases that are committed together."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.error: BaseException | None = None
        self._ended = threading.Event()

    def end(self, error: BaseException | None = None) -> None:
        """Say what became of the commit."""
        self.error = self.error or error
        self._ended.set()

    def wait(self) -> None:
        """Wait until all of it is on the disk. Raises NotCommitted if it did not get there."""
        self._ended.wait()
        if self.error is not None:
            # Each waiting thread has an exception of its own: raising one changes it.
            raise NotCommitted(words(self.error)) from self.error


def words(error: BaseException) -> str:
    """What the database itself said, in one line."""
    told = getattr(error, "orig", None) or error
    return " ".join(str(told).split()) or type(told).__name__


class GroupCommit:
    """Hands out write sessions, one at a time, of transactions that several may share."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self._waiting = 0
        self._group: _Group | None = None

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a use case; what it wrote is on the disk when the block has ended."""
        self._take_turn()
        try:
            first = self._group is None
            group = self._group = self._group or _Group(self._begin())
            try:
                with nullcontext() if first else _savepoint(group.connection):
                    yield Session(group.connection)
            except BaseException as error:
                if first or _may_undo_all(error):
                    group.error = error
                raise
            finally:
                self._commit_if_last(group)
        finally:
            self._turn.release()
        group.wait()

    def _take_turn(self) -> None:
        with self._counting:
            self._waiting += 1
        self._turn.acquire()
        with self._counting:
            self._waiting -= 1

    def _begin(self) -> sa.Connection:
        connection = self._engine.connect()
        try:
            connection.exec_driver_sql(BEGIN)
        except BaseException:
            connection.close()
            raise
        return connection

    def _commit_if_last(self, group: _Group) -> None:
        if self._waiting and group.error is None:
            return  # they will see to it
        self._group = None
        with group.connection as connection:
            try:
                if group.error is None:
                    connection.commit()
            except BaseException as error:  # whatever it is, all who wait must know
                connection.invalidate()  # what state it is in, nobody can tell
                group.end(error)
                if not isinstance(error, Exception):
                    raise  # somebody ends this thread: that is not what became of the database
            else:
                group.end()


def _may_undo_all(error: BaseException) -> bool:
    """Whether SQLite may have rolled back the transaction, others' work included."""
    statement_alone = isinstance(error, sa.exc.IntegrityError)
    return isinstance(error, sa.exc.DBAPIError) and not statement_alone


@contextmanager
def _savepoint(connection: sa.Connection) -> Iterator[None]:
    """Undo the work of the block, and nothing else, if it raises.

    The savepoint is ours: SQLAlchemy compiles each of its own anew, a tenth of a callback.
    """
    connection.exec_driver_sql("SAVEPOINT use_case")
    try:
        yield
    except sa.exc.DBAPIError:
        # SQLite may have undone all by itself and misses the savepoint; what failed is told.
        with suppress(sa.exc.DBAPIError):
            _undo(connection)
        raise
    except BaseException:
        _undo(connection)
        raise
    connection.exec_driver_sql("RELEASE SAVEPOINT use_case")


def _undo(connection: sa.Connection) -> None:
    if connection.invalidated:
        return  # nothing of it is left; its group fails at the commit
    connection.exec_driver_sql("ROLLBACK TO SAVEPOINT use_case")
    connection.exec_driver_sql("RELEASE SAVEPOINT use_case")

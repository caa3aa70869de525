"""psycopg, made to end in time, and to keep what PostgreSQL would refuse."""

import select
from collections.abc import Generator
from time import monotonic
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.types.string import StrDumperUnknown

from approval.store.statements import INSTEAD, NUL

PATIENCE = 10.0  # seconds, for a server that is there and says nothing; longer than it may work


class Silent(psycopg.OperationalError):
    """Raised if the server does not answer; the connection is closed."""


class Hasty(psycopg.Connection[Any]):
    """A connection that waits so long for an answer and no longer.

    The server's own limits do not help where the server itself stands still.
    """

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        """Wait for an answer. Raises Silent."""
        try:
            return super().wait(_within(PATIENCE, gen), *args, **options)
        except Silent:
            self.close()
            raise


def _within(seconds: float, steps: Any) -> Generator[Any, Any, Any]:
    """The driver's steps, which it takes when there is news and several times a second."""
    deadline = monotonic() + seconds
    try:
        wanted = next(steps)
        while True:
            ready = yield wanted
            if not ready and monotonic() > deadline:
                raise Silent(f"the server has not answered for {seconds:.0f} s")
            wanted = steps.send(ready)
    except StopIteration as end:
        return end.value


class Text(StrDumperUnknown):
    """Text without NUL, which PostgreSQL cannot keep."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace(NUL, INSTEAD) if NUL in obj else obj)


def set_up(engine: sa.Engine, patient: bool) -> None:
    """Have the engine's connections be hasty or patient, and given out only while they live."""
    kind = psycopg.Connection if patient else Hasty

    def connect(dialect: Any, record: Any, words: Any, options: Any) -> psycopg.Connection[Any]:
        return kind.connect(*words, **options)

    def adapt(connection: Any, record: Any) -> None:
        connection.adapters.register_dumper(str, Text)

    sa.event.listen(engine, "do_connect", connect)
    sa.event.listen(engine, "connect", adapt)
    sa.event.listen(engine, "checkout", _refuse_dead)


def _refuse_dead(connection: Any, record: Any, proxy: Any) -> None:
    """A server that went away has said so: an idle connection has nothing to read otherwise.

    This costs no answer of the server, as a ping would, and no use case after its restart.
    """
    news = select.poll()
    news.register(connection.pgconn.socket, select.POLLIN)
    if news.poll(0):
        raise sa.exc.DisconnectionError("the server has closed the connection")

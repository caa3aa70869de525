"""Listening: what other processes announce on a PostgreSQL server, as soon as they do.

It only makes them quicker. Whatever is not heard is found by whoever looks by themselves.
"""

import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import sqlalchemy as sa
import structlog

AGAIN = 2.0  # seconds after the connection broke
STOP = 0.5  # seconds until it is noticed that nobody listens any more
log = structlog.get_logger("approval.store")


class Listener:
    """A thread that listens on a connection of its own, and on another one when that breaks."""

    def __init__(self, engine: sa.Engine, channel: str, hear: Callable[[str], None]) -> None:
        self._engine = engine
        self._channel = channel
        self._hear = hear
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join(2 * AGAIN)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with closing(self._connect()) as connection:
                    self._listen(connection)
            except Exception as error:  # noqa: BLE001 - no free connection, unknown news: try again
                told = getattr(error, "orig", None) or error
                log.warning("cannot listen to other processes", error=str(told))
            self._stopping.wait(AGAIN)

    def _connect(self) -> Any:
        """A connection that is none of the pool's."""
        pooled = self._engine.raw_connection()
        connection = pooled.driver_connection
        pooled.detach()
        return connection

    def _listen(self, connection: Any) -> None:
        connection.autocommit = True
        connection.execute(f"LISTEN {self._channel}")
        while not self._stopping.is_set():
            for heard in connection.notifies(timeout=STOP):
                self._hear(heard.payload)

"""A WSGI application served in threads of this process, until it is closed."""

import signal
import threading
from collections.abc import Callable
from typing import Any

from waitress import wasyncore  # type: ignore[import-untyped]  # ships no types
from waitress.server import create_server  # type: ignore[import-untyped]  # ships no types

WSGI = Callable[..., Any]


class Server:
    """Listens from the moment it is made; `url` says where."""

    def __init__(self, app: WSGI, *, host: str, port: int, threads: int) -> None:
        self._sockets: dict[int, Any] = {}
        self._server = create_server(
            app,
            map=self._sockets,
            host=host,
            port=port,
            threads=threads,
            ident=None,
            connection_limit=1000,
            asyncore_use_poll=True,
        )
        self.port: int = self._server.effective_port
        self.url = f"http://{host}:{self.port}"
        self._loop = threading.Thread(target=self._server.run, name=f"serving {self.port}")
        self._loop.start()

    def close(self) -> None:
        """Let running requests end, then free the port and every connection.

        Workers go first: they write to the loop's pipe, which must not be closed under them.
        """
        self._server.task_dispatcher.shutdown()
        self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._sockets))
        self._loop.join()


def wait_for_signal() -> None:
    """Wait until this process is asked to end, by SIGTERM or from the keyboard."""
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    asked.wait()

"""A WSGI application served in threads of this process, until it is closed."""

import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.server import create_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Server:
    """Listens from the moment it is made; `url` says where. Port 0 takes a free one."""

    def __init__(self, app: "WSGIApplication", *, host: str, port: int, threads: int) -> None:
        listening = socket.create_server((host, port))
        self.port: int = listening.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        self._connections: dict[int, Any] = {}
        self._server: Any = create_server(
            app,
            map=self._connections,
            sockets=[listening],
            threads=threads,
            ident=None,
            connection_limit=1000,
            asyncore_use_poll=True,
        )
        self._loop = threading.Thread(target=self._server.run, name=f"serving {self.port}")
        self._loop.start()

    def close(self) -> None:
        """Let running requests end, then free the port and every connection.

        Workers go first: they write to the loop's pipe, which must not be closed under them.
        """
        self._server.task_dispatcher.shutdown()
        self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._connections))
        self._loop.join()


def wait_for_signal() -> None:
    """Wait until this process is asked to end, by SIGTERM or from the keyboard."""
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    asked.wait()

"""A WSGI application served in threads of this process, until it is closed."""

import signal
import threading
from typing import TYPE_CHECKING

from approval.web.server import Server as WebServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Server:
    """Listens from the moment it is made; `url` says where. Port 0 takes a free one."""

    def __init__(self, app: "WSGIApplication", *, host: str, port: int, threads: int) -> None:
        self._server = WebServer(app, host, port, threads)
        self.port = self._server.port
        self.url = f"http://{host}:{self.port}"
        self._loop = threading.Thread(target=self._server.run, name=f"serving {self.port}")
        self._loop.start()

    def close(self) -> None:
        """Let running requests end, then free the port and every connection."""
        self._server.stop()
        self._loop.join()


def wait_for_signal() -> None:
    """Wait until this process is asked to end, by SIGTERM or from the keyboard."""
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    asked.wait()

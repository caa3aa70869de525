"""Serve an application with waitress, and stop without dropping an answer."""

import threading
import time
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ErrorTask, Task, WSGITask
from waitress.utilities import RequestEntityTooLarge

from approval.web.callback import BODY_LIMIT

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

DRAIN = 10.0  # seconds that requests under way have to be answered
PATIENCE = 30  # seconds that a connection may be idle, and that a request has to come in
CONNECTIONS = 1000
CROWDED = 0.8  # of these; from then on each new one takes the place of one that keeps waiting

MANNERS: dict[str, Any] = {
    "ident": None,
    "cleanup_interval": 1,  # else patience lasts up to twice as long
    # The application's own limit is lower; this one keeps larger bodies off the disk.
    "max_request_body_size": 2 * BODY_LIMIT,
    "clear_untrusted_proxy_headers": False,  # ProxyFix takes as many as it trusts
}


class Oversized(WSGITask):
    """A request whose body was not read to its end: the application refuses it and says why."""

    def execute(self) -> None:
        self.set_close_on_finish()
        super().execute()

    def get_environment(self) -> dict[str, Any]:
        request: Any = self.request
        environ: dict[str, Any] = super().get_environment()
        # Of a chunked body only what has come is known, which is too much already.
        environ.setdefault("CONTENT_LENGTH", str(request.body_bytes_received))
        return environ


def _refusal(channel: HTTPChannel, request: Any) -> Task:
    too_large = isinstance(request.error, RequestEntityTooLarge)
    return (Oversized if too_large else ErrorTask)(channel, request)


class Channel(HTTPChannel):
    """A connection.

    Waitress itself would refuse large bodies in words of its own, grant a request that drips
    more time with each drop, and let nobody in while half-sent requests hold all connections.
    """

    error_task_class = staticmethod(_refusal)  # type: ignore[assignment] # it is only called
    _begun = 0.0  # when the request that comes in began

    def __init__(self, server: Any, *values: Any, **options: Any) -> None:
        _make_room(server)
        super().__init__(server, *values, **options)

    def received(self, data: bytes) -> bool:
        """Take in some more of a request."""
        before = self.request
        taken = super().received(data)
        if self.request is not before:
            self._begun = self.last_activity
        if self.request is not None:
            self.last_activity = self._begun
        return taken


def _make_room(server: Any) -> None:
    """Where it is crowded, close what has kept us waiting longest; never what is being answered."""
    open_ones: dict[int, Channel] = server.active_channels
    if len(open_ones) < CROWDED * server.adj.connection_limit:
        return
    waiting = [one for one in open_ones.values() if not (one.requests or one.will_close)]
    if waiting:
        min(waiting, key=lambda one: one.last_activity).will_close = True


class Server:
    """A served application; it listens as soon as it is built, on `port`."""

    def __init__(
        self,
        app: "WSGIApplication",
        host: str,
        port: int,
        threads: int = 8,
        *,
        patience: int = PATIENCE,
        connections: int = CONNECTIONS,
    ) -> None:
        self._sockets: dict[int, Any] = {}
        self._stopping = False
        self._telling = threading.RLock()  # a signal handler may come between
        self._server: Any = create_server(
            app,
            map=self._sockets,
            host=host,
            port=port,
            threads=threads,
            channel_timeout=patience,
            connection_limit=connections,
            **MANNERS,
        )
        for listener in self._listeners():
            listener.channel_class = Channel
        self._trigger = self._listeners()[0].trigger
        self.port: int = self._listeners()[0].socket.getsockname()[1]

    def run(self) -> None:
        """Serve until told to stop; then answer what is under way and close."""
        try:
            while not self._stopping:
                wasyncore.loop(timeout=1.0, map=self._sockets, use_poll=True, count=1)
        finally:
            with self._telling:  # who told us must have let go of the pipe before it is closed
                self._stopping = True
            self._drain()

    def stop(self) -> None:
        """Say that it is time to stop; from another thread or from a signal handler."""
        with self._telling:
            if not self._stopping:
                self._stopping = True
                self._trigger.pull_trigger()

    def _drain(self) -> None:
        for listener in self._listeners():
            # Not its own close(): that closes the pipe by which workers say that they are done.
            wasyncore.dispatcher.close(listener)
        deadline = time.monotonic() + DRAIN
        while self._busy() and time.monotonic() < deadline:
            wasyncore.loop(timeout=0.05, map=self._sockets, use_poll=True, count=1)
        workers = self._server.task_dispatcher
        workers.shutdown(timeout=1)
        if not workers.threads:  # else they would write to pipes that are somebody else's by then
            wasyncore.close_all(self._sockets)

    def _listeners(self) -> list[Any]:
        return [each for each in self._sockets.values() if getattr(each, "accepting", False)]

    def _busy(self) -> bool:
        """Whether a request waits for its answer, or an answer for its reader."""
        return any(
            getattr(channel, "requests", None) or getattr(channel, "total_outbufs_len", 0)
            for channel in self._sockets.values()
        )

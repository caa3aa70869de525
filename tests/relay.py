"""A relay of TCP connections to the first of several places that answers, in turn."""

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

Place = Callable[[], socket.socket]
CHUNK = 65536


def unix(path: str) -> Place:
    """A place that is a socket file."""

    def connect() -> socket.socket:
        there = socket.socket(socket.AF_UNIX)
        there.connect(path)
        return there

    return connect


def tcp(port: int) -> Place:
    """A place that is a port of this machine."""
    return lambda: socket.create_connection(("127.0.0.1", port), timeout=10)


class Relay:
    """Takes connections on `port` and passes on what comes, until it is told to hang."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = list(places)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._passing = threading.Event()
        self._passing.set()
        self._ending = False

    def hang(self) -> None:
        """Say nothing more, in either direction, and keep all connections."""
        self._passing.clear()

    def go_on(self) -> None:
        """Pass on what came meanwhile, and what comes."""
        self._passing.set()

    def serve(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                here, _ = self._listener.accept()
                threading.Thread(target=self._relay, args=(here,), daemon=True).start()

    def close(self) -> None:
        self._ending = True
        self._passing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _relay(self, here: socket.socket) -> None:
        with contextlib.suppress(OSError), here:
            there = self._connect()
            if there is None:
                return
            with there, selectors.DefaultSelector() as ready:
                ready.register(here, selectors.EVENT_READ, there)
                ready.register(there, selectors.EVENT_READ, here)
                while not self._ending:
                    for key, _ in ready.select(timeout=1):
                        self._passing.wait()
                        content = key.fileobj.recv(CHUNK)  # type: ignore[union-attr]
                        if not content:
                            return
                        key.data.sendall(content)

    def _connect(self) -> socket.socket | None:
        """The next place that answers."""
        self._places.append(self._places.pop(0))
        for place in list(self._places):
            with contextlib.suppress(OSError):
                return place()
        return None


@contextmanager
def relay(*places: Place) -> Iterator[Relay]:
    """A relay that works."""
    relay = Relay(places)
    thread = threading.Thread(target=relay.serve, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        relay.close()
        thread.join()

"""Connections that begin a request and never end it, in every way."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

DROP = 0.05  # seconds between two drops
HEAD = b"POST /callback HTTP/1.1\r\nHost: gate.example\r\n"
BODY = HEAD + b"Content-Type: application/xml\r\n"
BEGINNINGS = {
    "nothing": b"",
    "headers": HEAD,
    "body": BODY + b"Content-Length: 50000\r\n\r\n<tasks>",
    "chunks": BODY + b"Transfer-Encoding: chunked\r\n\r\n7\r\n<tasks>\r\n",
    "announced": BODY + b"Content-Length: 50000\r\nExpect: 100-continue\r\n\r\n",
    "form": HEAD.replace(b"callback", b"accept") + b"Content-Length: 50000\r\n\r\ntask=",
}
# What is said drop by drop, for ever, after a beginning.
DRIPS = {"headers": b"X", "body": b" ", "chunks": b"1\r\n \r\n", "form": b"a"}
KINDS = [(name, False) for name in BEGINNINGS] + [(name, True) for name in DRIPS]


class HalfSent:
    """Some of these connections, held open as long as the other side likes."""

    def __init__(self, port: int, kinds: list[tuple[str, bool]]) -> None:
        self._open = [
            (self._begin(port, name), DRIPS[name] if drips else b"") for name, drips in kinds
        ]
        self._over = threading.Event()
        self._dripping = threading.Thread(target=self._drip)
        self._dripping.start()

    @property
    def left(self) -> int:
        """How many the other side has not closed."""
        return sum(not _closed(connection) for connection, _ in self._open)

    def close(self) -> None:
        self._over.set()
        self._dripping.join()
        for connection, _ in self._open:
            connection.close()

    def _begin(self, port: int, name: str) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", port), 10)
        connection.sendall(BEGINNINGS[name])
        connection.setblocking(False)
        return connection

    def _drip(self) -> None:
        while not self._over.wait(DROP):
            for connection, drop in self._open:
                with suppress(OSError):
                    connection.send(drop)


def _closed(connection: socket.socket) -> bool:
    """Whether the other side has hung up; what it said before is passed over."""
    try:
        while heard := connection.recv(65536):
            assert heard.startswith(b"HTTP/1.1 100 "), heard  # nothing else can be answered yet
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return True


@contextmanager
def half_sent(port: int, number: int) -> Iterator[HalfSent]:
    """So many half-sent requests, of all kinds by turns."""
    connections = HalfSent(port, [KINDS[each % len(KINDS)] for each in range(number)])
    try:
        yield connections
    finally:
        connections.close()

"""The line between the gate and the platform, which spoils calls as it is told."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HELD_UP = 20.0  # seconds after which a line that hangs is dropped, whatever happens


class Caller(BaseHTTPRequestHandler):
    """One connection of the gate."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    line: "Line"

    def answer(self) -> None:
        self.content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.line.heard.append((f"{self.command} {self.path}", dict(self.headers)))
        self.line.fault_of(f"{self.command} {self.path}")(self)

    do_GET = do_POST = answer

    def ask(self) -> bytes:
        """Have the platform act; returns its whole answer."""
        connection = HTTPConnection("127.0.0.1", self.line.platform, timeout=HELD_UP)
        connection.request(self.command, self.path, self.content, dict(self.headers))
        with connection.getresponse() as reply:
            body = reply.read()
            kind = reply.headers.get("Content-Type", "text/plain")
        connection.close()
        return answer(reply.status, {"Content-Type": kind}, body)

    def say(self, words: bytes) -> None:
        self.wfile.write(words)

    def hang_up(self) -> None:
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


Fault = Callable[[Caller], None]


def answer(status: int, headers: dict[str, str], body: bytes) -> bytes:
    """An answer as it goes over the line."""
    fields = {"Content-Length": str(len(body)), **headers}
    if status == 204:
        del fields["Content-Length"]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + body


def passed_on(caller: Caller) -> None:
    """Nothing goes wrong."""
    caller.say(caller.ask())


class Line:
    """Leads to the platform at a port.

    `heard` is every call that came, with its headers; `flood` the megabytes that faults sent to
    the gate, `heard_out` the calls of which it waited for the end of an answer that drips;
    `other` is the port to which faults may send it.
    """

    def __init__(self, platform: int) -> None:
        self.platform = platform
        self.heard: list[tuple[str, dict[str, str]]] = []
        self.flood: list[int] = []
        self.heard_out: list[str] = []
        self.over = threading.Event()
        self._fault: tuple[re.Pattern[str], Fault] | None = None
        self._server: Any = None
        self.port = self.other = 0
        self.open()

    @property
    def kept(self) -> tuple[list[Any], ...]:
        """All that is remembered."""
        return self.heard, self.flood, self.heard_out

    def open(self) -> None:
        """Take calls, always at the same port."""
        kind = type("Connection", (Caller,), {"line": self})
        self._server = _Server(("127.0.0.1", self.port), kind)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,))
        self._thread.start()

    def close(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None

    def spoil(self, calls: str, fault: Fault) -> None:
        """Let a fault befall all calls that match."""
        self._fault = (re.compile(calls), fault)

    def mend(self) -> None:
        """Pass on everything; who was held up is dropped."""
        self._fault = None
        self.over.set()
        self.over = threading.Event()
        if self._server is None:
            self.open()

    def fault_of(self, call: str) -> Fault:
        if self._server is None:
            return Caller.hang_up
        if self._fault and self._fault[0].search(call):
            return self._fault[1]
        return passed_on


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass  # callers give up on purpose


@contextmanager
def line_to(platform: int) -> Iterator[Line]:
    line = Line(platform)
    try:
        yield line
    finally:
        line.mend()
        line.close()

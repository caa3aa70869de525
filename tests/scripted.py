"""Servers that misbehave as they are told."""

import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

Manner = Callable[[bytes], Iterable[bytes]]

GREETING = "220 scripted.example"
REPLIES = {
    "EHLO": "250 scripted.example",
    "MAIL": "250 OK",
    "RCPT": "250 OK",
    "DATA": "354 go on",
    ".": "250 OK",
    "RSET": "250 OK",
    "NOOP": "250 OK",
    "QUIT": "221 bye",
}


HANDSHAKE = b"\x16\x03\x03\x40\x00"  # of TLS; 16 KiB of it are to follow
DROPS = 400
PAUSE = 0.05  # seconds; less than any timeout, and 20 seconds in all


def drip(
    write: Callable[[bytes], object], start: bytes, drop: bytes, over: threading.Event
) -> None:
    """Say something drop by drop, as long as nobody would wait who keeps a deadline."""
    write(start)
    for _ in range(DROPS):
        if over.wait(PAUSE):
            break
        write(drop)
    write(b"\r\n")


@dataclass
class Scripted:
    """A mail server that answers each verb as it is told; None hangs up, "" stays silent.

    What it says to the verb `dripping` (or as "greeting") comes in drops; `dripped` if anybody
    heard the last. `messages` is what was sent here, `taken` what was not refused. `manners`
    says how the answer to a verb goes over the line, piece by piece.
    """

    port: int
    replies: dict[str, str | None] = field(default_factory=lambda: dict(REPLIES))
    greeting: str = GREETING
    heard: list[list[str]] = field(default_factory=list)
    dripping: str = ""
    dripped: bool = False
    messages: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    manners: dict[str, Manner] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def converse(self, read: Callable[[], bytes], write: Callable[[bytes], object]) -> None:
        lines: list[str] = []
        self.heard.append(lines)
        reply: str | None = self.greeting
        verb, in_data, content = "greeting", False, ""
        while reply is not None:
            if reply and verb == self.dripping:
                drip(write, reply[:3].encode() + b"-", b"x", self.over)
                self.dripped = True
            if reply:
                for piece in self.manners.get(verb, _whole)(reply.encode() + b"\r\n"):
                    write(piece)
            elif not in_data:
                self.over.wait()
                return
            heard = read()
            if not heard:
                return
            line = heard.decode().rstrip("\r\n")
            if in_data and line != ".":
                reply, content = "", f"{content}{line}\n"
                continue
            lines.append(line)
            verb = line.split(" ")[0].split(":")[0].upper()
            reply = self.replies.get(verb, "502 what?")
            if in_data:
                self._keep(content, reply)
            in_data, content = verb == "DATA" and (reply or "").startswith("3"), ""

    def mend(self) -> None:
        """Answer everything as a mail server should."""
        self.replies, self.greeting, self.manners = dict(REPLIES), GREETING, {}
        self.over.set()  # for those who wait in vain
        self.over = threading.Event()

    @property
    def kept(self) -> tuple[list[Any], ...]:
        """All that is remembered."""
        return self.heard, self.messages, self.taken

    def _keep(self, content: str, reply: str | None) -> None:
        self.messages.append(content)
        if not reply or reply.startswith("2"):
            self.taken.append(content)

    @property
    def verbs(self) -> list[list[str]]:
        """What was heard on each connection."""
        return [[line.split(" ")[0].upper() for line in lines] for lines in self.heard]


def _whole(reply: bytes) -> Iterable[bytes]:
    yield reply


@contextmanager
def scripted_server() -> Iterator[Scripted]:
    script = Scripted(0)
    with _listening(lambda peer: script.converse(peer.rfile.readline, peer.wfile.write)) as port:
        script.port = port
        yield script
        script.over.set()


@contextmanager
def dripping_server(start: bytes, drop: bytes = b"x") -> Iterator[int]:
    """Something that drips, whatever it is asked; yields its port."""
    over = threading.Event()
    with _listening(lambda peer: drip(peer.wfile.write, start, drop, over)) as port:
        yield port
        over.set()


@contextmanager
def _listening(meet: Callable[[socketserver.StreamRequestHandler], None]) -> Iterator[int]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                meet(self)

    class Listener(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Listener(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()

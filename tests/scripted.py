"""A mail server that misbehaves as it is told."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

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


@dataclass
class Scripted:
    """A mail server that answers each verb as it is told; None hangs up, "" stays silent."""

    port: int
    replies: dict[str, str | None] = field(default_factory=lambda: dict(REPLIES))
    greeting: str = "220 scripted.example"
    heard: list[list[str]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def converse(self, read: Callable[[], bytes], write: Callable[[bytes], object]) -> None:
        lines: list[str] = []
        self.heard.append(lines)
        reply: str | None = self.greeting
        in_data, content = False, ""
        while reply is not None:
            if reply:
                write(reply.encode() + b"\r\n")
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
            if in_data:
                self.messages.append(content)
            lines.append(line)
            verb = line.split(" ")[0].split(":")[0].upper()
            reply = self.replies.get(verb, "502 what?")
            in_data, content = verb == "DATA" and (reply or "").startswith("3"), ""

    @property
    def verbs(self) -> list[list[str]]:
        """What was heard on each connection."""
        return [[line.split(" ")[0].upper() for line in lines] for lines in self.heard]


@contextmanager
def scripted_server() -> Iterator[Scripted]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                script.converse(self.rfile.readline, self.wfile.write)

    class Listener(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Listener(("127.0.0.1", 0), Handler) as server:
        script = Scripted(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield script
        script.over.set()
        server.shutdown()
        thread.join()

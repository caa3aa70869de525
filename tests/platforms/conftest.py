"""A tiny HTTP server that answers as it is told, and an adapter that talks to it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from abiquo_samples import SECRET, Scripted

from approval.platforms.abiquo import Abiquo, Settings


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self):
        self.server.script.answer(self)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # clients drop connections on purpose


@pytest.fixture
def serve() -> Iterator:
    """Serves scripts; `serve(wrap=...)` wraps the listening socket, for TLS."""
    servers = []

    def start(wrap=None) -> Scripted:
        server = Server(("127.0.0.1", 0), Handler)
        if wrap:
            server.socket = wrap(server.socket)
        server.script = Scripted(server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.005,))
        thread.start()
        servers.append((server, thread))
        return server.script

    yield start
    for server, thread in servers:
        server.script.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server(serve) -> Scripted:
    return serve()


@pytest.fixture
def connect() -> Iterator:
    """Makes adapters for a server."""
    made = []

    def make(server: Scripted | None, clock=None, **changes) -> Abiquo:
        values = {
            "api_location": f"http://127.0.0.1:{server.port}/api" if server else "",
            "api_username": "gäte",
            "api_password": SECRET,
            "api_timeout": 10,
        } | changes
        made.append(Abiquo(Settings(**values), **({"clock": clock} if clock else {})))
        return made[-1]

    yield make
    for abiquo in made:
        abiquo.close()


@pytest.fixture
def abiquo(server, connect) -> Abiquo:
    return connect(server)

"""The real parts: a simulated platform, a mail server, and a served gate between them."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from approval.cli.assembly import Service, assemble
from approval.config import load
from approval.demo.cloud import Cloud
from approval.demo.mailbox import Mailbox
from approval.store.migrate import upgrade
from approval.web.server import Server
from tests.mails import Mails


def wait_until(found: Callable[[], object], timeout: float = 10.0) -> object:
    """Wait for something to become true; returns it."""
    deadline = time.monotonic() + timeout
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return value


@dataclass
class Gate:
    """A served gate as its users meet it."""

    service: Service
    url: str
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, url: str, **options: object) -> requests.Response:
        return self.session.get(self._absolute(url), timeout=10, **options)

    def post(self, url: str, body: object = None, **options: object) -> requests.Response:
        return self.session.post(self._absolute(url), data=body, timeout=10, **options)

    def callback(self, body: bytes, **options: object) -> requests.Response:
        return self.post("/callback", body, **options)

    def press(self, link: str, comment: str = "") -> requests.Response:
        """Press the button that a mail's link leads to, as the form does."""
        path, _, query = link.partition("?")
        fields = dict(part.split("=", 1) for part in query.split("&"))
        return self.post(path, fields | {"comment": comment})

    def _absolute(self, url: str) -> str:
        return url if url.startswith("http") else f"{self.url}{url}"


def settings_text(cloud: Cloud, mailbox: Mailbox, extra: str = "") -> str:
    """A workflow.cfg for these parts; `extra` may add sections or, first, keys of [server]."""
    return f"""\
[abiquo]
api_location = {cloud.api_location}
api_username = {cloud.username}
api_password = {cloud.password}
[mail]
from = Approval gate <gate@gate.example>
host = 127.0.0.1
port = {mailbox.smtp_port}
operator = operator@gate.example
[server]
bind_port = 0
{extra}
"""


@contextmanager
def served_gate(folder: Path, text: str, port: int = 0) -> Iterator[Gate]:
    """Serve a gate in this process with the settings in `text`."""
    file = folder / "workflow.cfg"
    port = port or free_port()
    public = f"http://127.0.0.1:{port}"
    file.write_text(text.replace("bind_port = 0", f"bind_port = {port}"), encoding="utf-8")
    config = load(file, {})
    service = assemble(config)
    upgrade(service.database)
    server = Server(service.app, "127.0.0.1", port)
    stop = threading.Event()
    thread = threading.Thread(target=server.run, args=(stop.is_set,))
    thread.start()
    service.engine.start()
    gate = Gate(service, public)
    try:
        yield gate
    finally:
        stop.set()
        thread.join()
        service.engine.stop(20)
        service.close()
        gate.session.close()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def gate(tmp_path: Path, cloud: Cloud, mailbox: Mailbox) -> Iterator[Gate]:
    with served_gate(tmp_path, settings_text(cloud, mailbox)) as gate:
        cloud.callback_url = f"{gate.url}/callback"
        yield gate


@pytest.fixture
def mails(mailbox: Mailbox) -> Mails:
    return Mails(mailbox)

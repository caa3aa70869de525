"""What is measured. Each scenario has its own gate, on a fresh database."""

import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from approval.demo.cloud import Cloud
from approval.demo.mailbox import Mailbox
from approval.store.database import Database
from approval.store.migrate import upgrade
from bench import parts
from bench.bodies import body
from bench.load import Connection, Measured, hammer
from bench.stock import fill

LATENCY = 0.03  # seconds the platform needs for each answer
CALLBACKS = 5000
PRESSES = 300
ASKED = 400
MANAGER = "mona@acme.example"


@contextmanager
def gate(api: str, smtp_port: int, stored: int = 0) -> Iterator[parts.Gate]:
    """A gate in a folder of its own, with so many tasks of the past in its database."""
    with tempfile.TemporaryDirectory() as folder:
        if stored:
            give_past(Path(folder), stored)
        with parts.gate(Path(folder), api, smtp_port) as running:
            _warm(running)
            yield running


def give_past(folder: Path, tasks: int) -> None:
    """Set up the database of a gate in a folder, with so many decided tasks in it."""
    file = folder / parts.DATABASE
    with closing(Database(f"sqlite:///{file}")) as database:
        upgrade(database)
    fill(file, tasks)


def _warm(running: parts.Gate) -> None:
    """One task over and over: a platform that does not know it is asked about one task only."""
    connection = Connection(running.port)
    for _ in range(200):
        connection.post("/callback", body(10**7))
    connection.close()


def callbacks(latency: float | None, stored: int = 0) -> tuple[Measured, float]:
    """Callbacks of one machine, eight clients; None is a platform that is down.

    Returns the figures and the memory afterwards in MB.
    """
    bodies = [body(number) for number in range(CALLBACKS)]
    with Mailbox() as mailbox:
        if latency is None:
            with gate(parts.NOWHERE, mailbox.smtp_port, stored) as running:
                return hammer(running.port, bodies), running.memory_mb()
        with (
            parts.platform(CALLBACKS, latency) as api,
            gate(api, mailbox.smtp_port, stored) as running,
        ):
            return hammer(running.port, bodies), running.memory_mb()


def memory() -> float:
    """Memory in MB after 10,000 callbacks, all of them looked up and half of them mailed."""
    bodies = [body(number) for number in range(10_000)]
    with (
        Mailbox(keep=10) as mailbox,
        parts.platform(len(bodies), 0) as api,
        gate(api, mailbox.smtp_port) as running,
    ):
        hammer(running.port, bodies)
        _wait_for(mailbox, 10_000)
        return running.memory_mb()


def presses(stored: int = 0) -> Measured:
    """From the press of a button to the platform's receipt, one by one."""
    with Cloud(keep_calls=100_000) as cloud, Mailbox() as mailbox:
        bodies = [body(number, machine=59) for number in range(PRESSES)]
        for each in bodies:
            cloud.adopt(each)
        with gate(cloud.api_location, mailbox.smtp_port, stored) as running:
            hammer(running.port, bodies, clients=2)
            _wait_for(mailbox, 2 * PRESSES)
            links = accept_links(mailbox)
            connection = Connection(running.port)
            times = [press(connection, cloud, *link) for link in links]
            connection.close()
    return Measured.of(sum(times), times)


def mails() -> float:
    """Requests a second from callback to mail, with a platform that takes its time."""
    bodies = [body(number) for number in range(ASKED)]
    with (
        Mailbox() as mailbox,
        parts.platform(ASKED, LATENCY) as api,
        gate(api, mailbox.smtp_port) as running,
    ):
        started = time.perf_counter()
        hammer(running.port, bodies)
        _wait_for(mailbox, 2 * ASKED)  # two managers each
        return ASKED / (time.perf_counter() - started)


def _wait_for(mailbox: Mailbox, count: int, timeout: float = 600) -> None:
    deadline = time.monotonic() + timeout
    while mailbox.count < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{mailbox.count} of {count} mails came")
        time.sleep(0.005)


def accept_links(mailbox: Mailbox) -> Sequence[tuple[str, str]]:
    """Task and token of every request, from the mails to one manager."""
    mine = [mail for mail in mailbox.messages if MANAGER in mail.recipients]
    found = (re.search(r"https?://\S+/accept\?\S+", mail.text) for mail in mine)
    queries = [parse_qs(urlsplit(match[0]).query) for match in found if match]
    return [(query["task"][0], query["token"][0]) for query in queries]


def press(connection: Connection, cloud: Cloud, task: str, token: str) -> float:
    """Seconds from the press until the platform has answered the gate's call."""
    form = f"task={task}&token={token}&comment=".encode()
    started = time.monotonic()
    status = connection.post("/accept", form, "application/x-www-form-urlencoded")
    if status != 200:
        raise RuntimeError(f"the press was answered {status}")
    while True:
        for call in reversed(cloud.calls):
            if call.at < started:
                break
            if call.path.endswith(f"{task}/action/continue"):
                return call.at - started
        time.sleep(0.0005)

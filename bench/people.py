"""What those do who stand around a gate: the platform announces, managers read and press."""

import re
import time
from collections.abc import Callable, Sequence
from urllib.parse import parse_qs, urlsplit

from approval.demo.cloud import Cloud
from approval.demo.mailbox import Mailbox
from bench.bodies import body
from bench.load import Connection

MANAGERS = 2  # are asked about each request
MANAGER = "mona@acme.example"
ONE_MACHINE = 59  # of the sample world, which the platform of this process holds
FORM = "application/x-www-form-urlencoded"


def adopted(cloud: Cloud, count: int) -> Sequence[bytes]:
    """Callbacks of tasks that a platform holds."""
    bodies = [body(number, machine=ONE_MACHINE) for number in range(count)]
    for each in bodies:
        cloud.adopt(each)
    return bodies


def expect(wanted: int, status: int) -> None:
    """Raise RuntimeError for another status."""
    if status != wanted:
        raise RuntimeError(f"it was answered {status}, not {wanted}")


def wait_for(done: Callable[[], int], count: int, timeout: float = 600) -> None:
    """Wait until so many are done. Raises TimeoutError."""
    deadline = time.monotonic() + timeout
    while (there := done()) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{there} of {count} were done")
        time.sleep(0.02)


def accept_links(mailbox: Mailbox) -> Sequence[tuple[str, str]]:
    """Task and token of every request, from the mails to one manager."""
    mine = [mail for mail in mailbox.messages if MANAGER in mail.recipients]
    found = (re.search(r"https?://\S+/accept\?\S+", mail.text or "") for mail in mine)
    queries = [parse_qs(urlsplit(match[0]).query) for match in found if match]
    return [(query["task"][0], query["token"][0]) for query in queries]


def form(task: str, token: str) -> bytes:
    """What the page of a link sends."""
    return f"task={task}&token={token}&comment=".encode()


def press(connection: Connection, cloud: Cloud, task: str, token: str) -> float:
    """Seconds from the press until the platform has answered the gate's call."""
    started = time.monotonic()
    expect(200, connection.post("/accept", form(task, token), FORM))
    while True:
        for call in reversed(cloud.calls):
            if call.at < started:
                break
            if call.path.endswith(f"{task}/action/continue"):
                return call.at - started
        time.sleep(0.0005)

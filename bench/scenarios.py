"""What is measured. Each scenario sets up its own gate, with a store that is new."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

from approval.demo.cloud import Cloud, Fault
from approval.demo.mailbox import Mailbox
from bench import parts, stores
from bench.bodies import body, task_id
from bench.load import Connection, Measured, hammer
from bench.people import FORM, MANAGERS, accept_links, adopted, expect, form, press, wait_for
from bench.setups import Setup

LATENCY = 0.03  # seconds the platform needs for each answer
WARM = 200
FLOOD, MAILED = 10_000, 500  # callbacks, and how many of them are mailed before memory is read
CALLBACKS = 3000
PRESSES = 300
ASKED = 400
WAITING = 300
TAKEN = 4  # jobs of the process that dies: as many as it has threads for them


@dataclass(frozen=True)
class Flood:
    """The callbacks, and the memory of each process in MB before and after."""

    callbacks: Measured
    before: Sequence[float]
    after: Sequence[float]


@dataclass(frozen=True)
class Drained:
    """Requests a second, from the moment when all gates serve again."""

    mailed: float
    told: float


@dataclass(frozen=True)
class Cost:
    """What one task took, from its callback to the last mail about it.

    `database`: what the database counted itself, if it does.
    """

    seconds: float
    tables: Mapping[str, float]
    database: Mapping[str, float]


@contextmanager
def _site(setup: Setup, api: str, smtp_port: int) -> Iterator[parts.Site]:
    with (
        tempfile.TemporaryDirectory() as folder,
        parts.site(setup, Path(folder), api, smtp_port) as site,
    ):
        yield site


@contextmanager
def _gates(setup: Setup, api: str, smtp_port: int) -> Iterator[Sequence[parts.Gate]]:
    with _site(setup, api, smtp_port) as site, site.served() as gates:
        for gate in gates:
            _warm(gate)
        yield gates


def _warm(gate: parts.Gate) -> None:
    """One task over and over: a platform that does not know it is asked about one task only."""
    connection = Connection(gate.port)
    for _ in range(WARM):
        connection.post("/callback", body(10**7))
    connection.close()


def _ports(gates: Sequence[parts.Gate]) -> list[int]:
    return [gate.port for gate in gates]


def flood(setup: Setup) -> Flood:
    """Callbacks, eight clients, and what they leave in memory once some are mailed too."""
    bodies = [body(number) for number in range(FLOOD)]
    with (
        Mailbox(keep=10) as mailbox,
        parts.platform(FLOOD, 0) as api,
        _site(setup, api, mailbox.smtp_port) as site,
        site.served() as gates,
    ):
        before = [gate.memory_mb() for gate in gates]
        for gate in gates:
            _warm(gate)
        callbacks = hammer(_ports(gates), bodies)
        wait_for(lambda: mailbox.count, MANAGERS * MAILED)
        return Flood(callbacks, before, [gate.memory_mb() for gate in gates])


def without_platform(setup: Setup) -> Measured:
    """Callbacks, eight clients, while nobody answers the gate's own questions."""
    with Mailbox() as mailbox, _gates(setup, parts.NOWHERE, mailbox.smtp_port) as gates:
        return hammer(_ports(gates), [body(number) for number in range(CALLBACKS)])


def presses(setup: Setup) -> Measured:
    """From the press of a button to the platform's receipt, one by one."""
    with Cloud(keep_calls=100_000) as cloud, Mailbox() as mailbox:
        bodies = adopted(cloud, PRESSES)
        with _gates(setup, cloud.api_location, mailbox.smtp_port) as gates:
            hammer(_ports(gates), bodies, clients=2)
            wait_for(lambda: mailbox.count, MANAGERS * PRESSES)
            lines = [Connection(gate.port) for gate in gates]
            times = [
                press(lines[number % len(lines)], cloud, *link)
                for number, link in enumerate(accept_links(mailbox))
            ]
            for line in lines:
                line.close()
    return Measured.of(sum(times), times)


def mails(setup: Setup) -> float:
    """Requests a second from callback to mail, with a platform that takes its time."""
    bodies = [body(number) for number in range(ASKED)]
    with (
        Mailbox() as mailbox,
        parts.platform(ASKED, LATENCY) as api,
        _gates(setup, api, mailbox.smtp_port) as gates,
    ):
        started = time.perf_counter()
        hammer(_ports(gates), bodies)
        wait_for(lambda: mailbox.count, MANAGERS * ASKED)
        return ASKED / (time.perf_counter() - started)


def backlog(setup: Setup) -> Drained:
    """Requests that came, and then decisions that were made, while nobody did the work."""
    with (
        Mailbox() as mailbox,
        parts.platform(WAITING, LATENCY) as api,
        _site(setup, api, mailbox.smtp_port) as site,
    ):
        with site.unattended() as web:
            for number in range(WAITING):
                expect(202, web.post("/callback", data=body(number)).status_code)
        mailed = _drained(site, lambda: mailbox.count // MANAGERS)
        with site.unattended() as web:
            for task, token in accept_links(mailbox):
                fields = {"task": task, "token": token, "comment": ""}
                expect(200, web.post("/accept", data=fields).status_code)
        query = "SELECT count(*) FROM tasks WHERE delivery = 'delivered'"
        return Drained(mailed, _drained(site, lambda: stores.value(site.store, query)))


def _drained(site: parts.Site, done: Callable[[], int]) -> float:
    with site.served():
        started, before = time.perf_counter(), done()  # the first gate began as the others started
        wait_for(done, WAITING)
        return (WAITING - before) / (time.perf_counter() - started)


def takeover(setup: Setup) -> float:
    """Seconds from the death of the process that tells the platform until others have told it."""
    with Cloud() as cloud, Mailbox() as mailbox:
        bodies = adopted(cloud, TAKEN)
        with _gates(setup, cloud.api_location, mailbox.smtp_port) as [dying, *others]:
            hammer([dying.port], bodies, clients=1)
            wait_for(lambda: mailbox.count, MANAGERS * TAKEN)
            cloud.faults.plan(Fault(method="POST", drop=True, delay=600, times=TAKEN))
            line = Connection(dying.port)
            with _asleep(others):  # so that it is not they who take the jobs
                for task, token in accept_links(mailbox):
                    expect(200, line.post("/accept", form(task, token), FORM))
                wait_for(lambda: -len(cloud.faults.planned), 0)
                dying.signal(Signals.SIGKILL)
                started = time.perf_counter()
            wait_for(lambda: _told(cloud), TAKEN)
            return time.perf_counter() - started


@contextmanager
def _asleep(gates: Sequence[parts.Gate]) -> Iterator[None]:
    for gate in gates:
        gate.signal(Signals.SIGSTOP)
    try:
        yield
    finally:
        for gate in gates:
            gate.signal(Signals.SIGCONT)


def _told(cloud: Cloud) -> int:
    return sum(cloud.task_state(task_id(n)) != "QUEUEING" for n in range(TAKEN))


def cost(setup: Setup) -> Cost:
    """What tasks took that were asked about, accepted and told, all mails included."""
    with Cloud(keep_calls=10) as cloud, Mailbox() as mailbox:
        bodies = adopted(cloud, PRESSES)
        with _site(setup, cloud.api_location, mailbox.smtp_port) as site:
            before = site.store.counted()
            with site.served() as [gate]:
                idle = gate.computed()
                hammer([gate.port], bodies, clients=2)
                wait_for(lambda: mailbox.count, MANAGERS * PRESSES)
                line = Connection(gate.port)
                for link in accept_links(mailbox):
                    expect(200, line.post("/accept", form(*link), FORM))
                line.close()
                wait_for(lambda: mailbox.count, 2 * MANAGERS * PRESSES)  # outcome and note too
                computed = gate.computed() - idle
            counted = site.store.counted()
            sizes = site.store.tables()
    return Cost(
        computed / PRESSES,
        {name: size / PRESSES for name, size in sizes.items()},
        {name: (counted[name] - before[name]) / PRESSES for name in counted},
    )

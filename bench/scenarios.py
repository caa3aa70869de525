"""What is measured. Each scenario sets up its own gate, with a store that is new."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from approval.demo.cloud import Cloud
from approval.demo.mailbox import Mailbox
from bench import parts
from bench.bodies import body
from bench.load import Connection, Measured, hammer
from bench.people import FORM, MANAGERS, accept_links, adopted, expect, form, press, wait_for
from bench.setups import Setup

LATENCY = 0.03  # seconds the platform needs for each answer
WARM = 200
FLOOD, MAILED = 10_000, 500  # callbacks, and how many of them are mailed before memory is read
CALLBACKS = 3000
PRESSES = 300
ASKED = 400


@dataclass(frozen=True)
class Flood:
    """The callbacks, and the memory of each process in MB before and after."""

    callbacks: Measured
    before: Sequence[float]
    after: Sequence[float]


@dataclass(frozen=True)
class Cost:
    """What one task took, from its callback to the last mail about it.

    `seconds` of a processor, for the gate; `calls` to the platform; bytes in each of the
    `tables`; and what the `database` counted itself, if it does.
    """

    seconds: float
    calls: float
    tables: Mapping[str, float]
    database: Mapping[str, float]


@contextmanager
def site_of(setup: Setup, api: str, smtp_port: int) -> Iterator[parts.Site]:
    """A gate of its own, not yet running."""
    with (
        tempfile.TemporaryDirectory() as folder,
        parts.site(setup, Path(folder), api, smtp_port) as site,
    ):
        yield site


@contextmanager
def gates_of(setup: Setup, api: str, smtp_port: int) -> Iterator[Sequence[parts.Gate]]:
    """Its processes, once they have warmed up."""
    with site_of(setup, api, smtp_port) as site, site.served() as gates:
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
        site_of(setup, api, mailbox.smtp_port) as site,
        site.served() as gates,
    ):
        before = [gate.memory_mb() for gate in gates]
        for gate in gates:
            _warm(gate)
        callbacks = hammer(_ports(gates), bodies)
        wait_for(lambda: mailbox.count, MANAGERS * MAILED)
        return Flood(callbacks, before, [gate.memory_mb() for gate in gates])


def slow_platform(setup: Setup) -> Measured:
    """Callbacks, eight clients, with a platform that takes its time for the gate's questions."""
    with parts.platform(CALLBACKS, LATENCY) as api:
        return _callbacks(setup, api)


def without_platform(setup: Setup) -> Measured:
    """Callbacks, eight clients, while nobody answers the gate's own questions."""
    return _callbacks(setup, parts.NOWHERE)


def _callbacks(setup: Setup, api: str) -> Measured:
    with Mailbox(keep=10) as mailbox, gates_of(setup, api, mailbox.smtp_port) as gates:
        return hammer(_ports(gates), [body(number) for number in range(CALLBACKS)])


def presses(setup: Setup) -> Measured:
    """From the press of a button to the platform's receipt, one by one."""
    with Cloud(keep_calls=100_000) as cloud, Mailbox() as mailbox:
        bodies = adopted(cloud, PRESSES)
        with gates_of(setup, cloud.api_location, mailbox.smtp_port) as gates:
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
        gates_of(setup, api, mailbox.smtp_port) as gates,
    ):
        started = time.perf_counter()
        hammer(_ports(gates), bodies)
        wait_for(lambda: mailbox.count, MANAGERS * ASKED)
        return ASKED / (time.perf_counter() - started)


def cost(setup: Setup) -> Cost:
    """What tasks took that were asked about, accepted and told, all mails included."""
    with Cloud(keep_calls=100_000) as cloud, Mailbox() as mailbox:
        bodies = adopted(cloud, PRESSES)
        with site_of(setup, cloud.api_location, mailbox.smtp_port) as site:
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
            site.store.pack()
            sizes = site.store.tables()
        calls = len(cloud.calls)
    return Cost(
        computed / PRESSES,
        calls / PRESSES,
        {name: size / PRESSES for name, size in sizes.items()},
        {name: (counted[name] - before[name]) / PRESSES for name in counted},
    )

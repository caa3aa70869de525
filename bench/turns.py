"""Sites with pasts of different lengths, which do the same work by turns, request by request.

Whatever else the machine does meanwhile befalls all of them; the ratio in each round counts.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from approval.demo.cloud import Cloud
from approval.demo.mailbox import Mailbox
from bench import parts
from bench.bodies import body, task_id
from bench.load import Connection
from bench.people import ONE_MACHINE, accept_links, expect, press
from bench.setups import Setup
from bench.standstill import drained

EACH = 40  # requests of a site in a round
BACKLOG = 100  # requests that wait for a site to begin
ASKING, MAILS = 2, 4  # about a request: two that ask, a note, an outcome
TIMEOUT = 120  # seconds until they have come
NUMBERS = random.Random(7)  # noqa: S311 - ids of tasks lie anywhere in an index


@dataclass(frozen=True)
class Round:
    """Medians in seconds, by the past of the site."""

    callback: Mapping[int, float]
    button: Mapping[int, float]
    computed: Mapping[int, float]  # for each request, from its callback to the last mail about it
    memory: Mapping[int, float]  # MB of the largest process


class _Gates:
    """The processes of each site; the sites do the same by turns, one request each."""

    def __init__(
        self, gates: Mapping[int, Sequence[parts.Gate]], cloud: Cloud, mailbox: Mailbox
    ) -> None:
        self._gates = gates
        self._cloud = cloud
        self._mailbox = mailbox

    def work(self, order: Sequence[int]) -> Round:
        """Ask each site about as many requests, and press the buttons of all."""
        self._mailbox.clear()
        before = self._computed()
        lines = {past: [Connection(gate.port) for gate in self._gates[past]] for past in order}
        asked = {past: [NUMBERS.getrandbits(32) for _ in range(EACH)] for past in order}

        def call(past: int, turn: int) -> float:
            return self._call(lines[past][turn % len(lines[past])], asked[past][turn])

        callbacks = _by_turns(order, call)
        self._mailbox.wait_for(ASKING * EACH * len(order), TIMEOUT)
        tokens = dict(accept_links(self._mailbox))

        def push(past: int, turn: int) -> float:
            task = task_id(asked[past][turn])
            line = lines[past][turn % len(lines[past])]
            return press(line, self._cloud, task, tokens[task])

        buttons = _by_turns(order, push)
        self._mailbox.wait_for(MAILS * EACH * len(order), TIMEOUT)
        for line in chain.from_iterable(lines.values()):
            line.close()
        after = self._computed()
        computed = {past: (after[past] - before[past]) / EACH for past in order}
        return Round(callbacks, buttons, computed, self._memory())

    def _computed(self) -> dict[int, float]:
        return {past: sum(one.computed() for one in own) for past, own in self._gates.items()}

    def _memory(self) -> dict[int, float]:
        return {past: max(one.memory_mb() for one in own) for past, own in self._gates.items()}

    def _call(self, line: Connection, number: int) -> float:
        announced = body(number, machine=ONE_MACHINE)
        self._cloud.adopt(announced)
        begun = time.perf_counter()
        if line.post("/callback", announced) != 202:
            raise RuntimeError("a callback was not taken")
        return time.perf_counter() - begun


def _by_turns(order: Sequence[int], act: Callable[[int, int], float]) -> dict[int, float]:
    seconds = [{past: act(past, turn) for past in order} for turn in range(EACH)]
    return {past: statistics.median(each[past] for each in seconds) for past in order}


@dataclass(frozen=True)
class Ages:
    """Sites of one setup, by the number of tasks in the past of each."""

    sites: Mapping[int, parts.Site]
    cloud: Cloud
    mailbox: Mailbox

    def rounds(self, count: int) -> Iterator[Round]:
        """Rounds, each beginning with another gate, after one to warm up."""
        pasts = tuple(self.sites)
        with ExitStack() as stack:
            served = {past: stack.enter_context(site.served()) for past, site in self.sites.items()}
            gates = _Gates(served, self.cloud, self.mailbox)
            gates.work(pasts)
            for number in range(count):
                yield gates.work(_beginning(pasts, number))

    def backlogs(self, count: int) -> Iterator[Mapping[int, float]]:
        """Seconds a request until it is mailed, of those that came while nobody did the work."""
        for number in range(count):
            yield {past: self._drain(self.sites[past]) for past in _beginning(self.sites, number)}

    def _drain(self, site: parts.Site) -> float:
        before = self.mailbox.count
        with site.unattended() as web:
            for _ in range(BACKLOG):
                announced = body(NUMBERS.getrandbits(32), machine=ONE_MACHINE)
                self.cloud.adopt(announced)
                expect(202, web.post("/callback", data=announced).status_code)
        return 1 / drained(site, lambda: (self.mailbox.count - before) // ASKING, BACKLOG)


def _beginning(pasts: Iterable[int], number: int) -> Sequence[int]:
    """The pasts in their order, each round beginning with another one."""
    all_of_them = tuple(pasts)
    first = number % len(all_of_them)
    return all_of_them[first:] + all_of_them[:first]


@contextmanager
def ages(setup: Setup, pasts: Sequence[int]) -> Iterator[Ages]:
    """A site of this setup for each past, filled and not yet running."""
    with ExitStack() as stack:
        cloud = stack.enter_context(Cloud(keep_calls=100))
        mailbox = stack.enter_context(Mailbox())
        sites = {}
        for past in pasts:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            site = parts.site(setup, folder, cloud.api_location, mailbox.smtp_port)
            sites[past] = stack.enter_context(site)
            sites[past].store.fill(past)
        yield Ages(sites, cloud, mailbox)


def ratio(rounds: Sequence[Mapping[int, float]], past: int) -> float:
    """How much more it is with a past than with the shortest, by the median of the rounds."""
    return statistics.median(each[past] / each[min(each)] for each in rounds)

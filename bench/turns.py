"""Gates with pasts of different lengths, which do the same work by turns, request by request.

Whatever else the machine does meanwhile befalls all of them; the ratio in each round counts.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from approval.demo.cloud import Cloud
from approval.demo.mailbox import Mailbox
from bench import parts
from bench.bodies import body, task_id
from bench.load import Connection
from bench.people import ONE_MACHINE, accept_links, press
from bench.setups import Setup

EACH = 40  # requests of a gate in a round
ASKING, MAILS = 2, 4  # about a request: two that ask, a note, an outcome
TIMEOUT = 120  # seconds until they have come
NUMBERS = random.Random(7)  # noqa: S311 - ids of tasks lie anywhere in an index


@dataclass(frozen=True)
class Round:
    """Medians in seconds, by the past of the gate."""

    callback: Mapping[int, float]
    button: Mapping[int, float]
    computed: Mapping[int, float]  # for each request, from its callback to the last mail about it


class _Gates:
    """Gates that do the same by turns, one request each."""

    def __init__(self, gates: Mapping[int, parts.Gate], cloud: Cloud, mailbox: Mailbox) -> None:
        self._gates = gates
        self._cloud = cloud
        self._mailbox = mailbox

    def work(self, order: Sequence[int]) -> Round:
        """Ask each gate about as many requests, and press the buttons of all."""
        self._mailbox.clear()
        before = self._computed()
        lines = {past: Connection(self._gates[past].port) for past in order}
        asked = {past: [NUMBERS.getrandbits(32) for _ in range(EACH)] for past in order}
        callbacks = _by_turns(order, lambda past, turn: self._call(lines[past], asked[past][turn]))
        self._mailbox.wait_for(ASKING * EACH * len(order), TIMEOUT)
        tokens = dict(accept_links(self._mailbox))

        def push(past: int, turn: int) -> float:
            task = task_id(asked[past][turn])
            return press(lines[past], self._cloud, task, tokens[task])

        buttons = _by_turns(order, push)
        self._mailbox.wait_for(MAILS * EACH * len(order), TIMEOUT)
        for line in lines.values():
            line.close()
        after = self._computed()
        return Round(callbacks, buttons, {p: (after[p] - before[p]) / EACH for p in order})

    def _computed(self) -> dict[int, float]:
        return {past: gate.computed() for past, gate in self._gates.items()}

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
            gates = _Gates({past: g[0] for past, g in served.items()}, self.cloud, self.mailbox)
            gates.work(pasts)
            for number in range(count):
                first = number % len(pasts)
                yield gates.work(pasts[first:] + pasts[:first])


@contextmanager
def ages(setup: Setup, pasts: Sequence[int]) -> Iterator[Ages]:
    """A gate of this setup for each past, filled and not yet running."""
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


def ratio(rounds: Sequence[Round], name: str, past: int) -> float:
    """How much slower it is with a past than without, by the median of the rounds."""
    times: list[Mapping[int, float]] = [getattr(each, name) for each in rounds]
    return statistics.median(each[past] / each[0] for each in times)

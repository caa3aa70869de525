"""`python -m bench.aged`: what a long past costs, written into docs/benchmarks.md.

Gates with pasts of different lengths do the same work by turns, request by request, so that
whatever else the machine does meanwhile befalls all of them; the ratio in each round counts.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from approval.demo.cloud import Cloud
from approval.demo.mailbox import Mailbox
from bench import parts, upkeep
from bench.bodies import body, task_id
from bench.load import Connection
from bench.scenarios import accept_links, give_past, press
from tests import report

PASTS = (0, 100_000, 1_000_000)
ROUNDS = 11
EACH = 40  # requests of a gate in a round
ASKING, MAILS = 2, 4  # about a request: two that ask, a note, an outcome
TIMEOUT = 120  # seconds until they have come
WANTED = 1.3
WHAT = {
    "callback": "callback",
    "button": "button to platform",
    "computed": "processor time of a request",
}
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
NUMBERS = random.Random(7)  # noqa: S311 - ids of tasks lie anywhere in an index


@dataclass(frozen=True)
class Round:
    """Medians in seconds, by the past of the gate."""

    callback: Mapping[int, float]
    button: Mapping[int, float]
    computed: Mapping[int, float]  # for each request, from its callback to the last mail about it


class Gates:
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
        announced = body(number, machine=59)
        self._cloud.adopt(announced)
        begun = time.perf_counter()
        if line.post("/callback", announced) != 202:
            raise RuntimeError("a callback was not taken")
        return time.perf_counter() - begun


def _by_turns(order: Sequence[int], act: Callable[[int, int], float]) -> dict[int, float]:
    seconds = [{past: act(past, turn) for past in order} for turn in range(EACH)]
    return {past: statistics.median(each[past] for each in seconds) for past in order}


def work(folders: Mapping[int, Path], cloud: Cloud, mailbox: Mailbox) -> Iterator[Round]:
    """Rounds, each beginning with another gate; the first one was to warm up."""
    with ExitStack() as stack:
        started = {
            past: stack.enter_context(parts.gate(folder, cloud.api_location, mailbox.smtp_port))
            for past, folder in folders.items()
        }
        gates = Gates(started, cloud, mailbox)
        gates.work(PASTS)
        for number in range(ROUNDS):
            first = number % len(PASTS)
            yield gates.work(PASTS[first:] + PASTS[:first])


def lines(rounds: Sequence[Round]) -> Iterator[str]:
    """What the rounds say, as a table."""
    yield "| what | wanted | measured | |"
    yield "|---|---|---|---|"
    for name, what in WHAT.items():
        times = {past: [getattr(each, name)[past] for each in rounds] for past in PASTS}
        empty = statistics.median(times[0])
        yield f"| {what}, median, nothing stored | | {1000 * empty:.1f} ms | |"
        for past in PASTS[1:]:
            ratios = [full / bare for full, bare in zip(times[past], times[0], strict=True)]
            ratio, median = statistics.median(ratios), statistics.median(times[past])
            verdict = "met" if ratio <= WANTED else "**short**"
            yield (
                f"| {what}, median, {past:,} tasks stored | ≤ {WANTED} times "
                f"| {1000 * median:.1f} ms, {ratio:.2f} times | {verdict} |"
            )


def _past(folder: Path, tasks: int) -> str:
    """Give a gate its past; says what that took."""
    folder.mkdir()
    begun = time.monotonic()
    give_past(folder, tasks)
    size = (folder / parts.DATABASE).stat().st_size / 1e9
    return f"{tasks:,} tasks were stored in {time.monotonic() - begun:.0f} s, {size:.1f} GB"


def main() -> None:
    """Measure and write the report."""
    with (
        tempfile.TemporaryDirectory() as root,
        Cloud(keep_calls=100) as cloud,
        Mailbox() as mailbox,
    ):
        folders = {past: Path(root) / str(past) for past in PASTS}
        filled = [_past(folder, past) for past, folder in folders.items()]
        print(*filled, sep="\n", flush=True)
        table = list(lines(list(work(folders, cloud, mailbox))))
        table += upkeep.lines(folders[PASTS[-1]], cloud)
    text = [f"{report.here()}. {'; '.join(filled[1:])}.", "", *table]
    print(*text, sep="\n")
    report.write("make aged", "".join(f"{line}\n" for line in text), PAGE)


if __name__ == "__main__":
    main()

"""`python -m bench.aged`: what a long past costs, written into docs/benchmarks.md.

Gates with pasts of different lengths do the same work by turns, so that whatever else the
machine does meanwhile befalls all of them; what counts is the ratio within each round.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from approval.demo.cloud import Cloud
from approval.demo.mailbox import Mailbox
from bench import parts, upkeep
from bench.bodies import body
from bench.load import Connection
from bench.scenarios import accept_links, give_past, press
from tests import report

PASTS = (0, 100_000, 1_000_000)
ROUNDS = 11
EACH = 40  # requests of a gate in a round
ASKING, MAILS = 2, 4  # about a request: two that ask, a note, an outcome
TIMEOUT = 120  # seconds until they have come
WANTED = 1.3
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
NUMBERS = random.Random(7)  # noqa: S311 - ids of tasks lie anywhere in an index


@dataclass(frozen=True)
class Turn:
    """Medians of one gate's turn, in seconds."""

    callback: float
    button: float


Round = Mapping[int, Turn]


def turns(folders: Mapping[int, Path], cloud: Cloud, mailbox: Mailbox) -> Iterator[Round]:
    """Rounds in which each gate has its turn, beginning with another one each time."""
    with ExitStack() as stack:
        gates = {
            past: stack.enter_context(parts.gate(folder, cloud.api_location, mailbox.smtp_port))
            for past, folder in folders.items()
        }
        for gate in gates.values():  # to warm up
            _turn(gate, cloud, mailbox)
        for number in range(ROUNDS):
            order = [PASTS[(number + place) % len(PASTS)] for place in range(len(PASTS))]
            yield {past: _turn(gates[past], cloud, mailbox) for past in order}


def _turn(gate: parts.Gate, cloud: Cloud, mailbox: Mailbox) -> Turn:
    mailbox.clear()
    connection = Connection(gate.port)
    callbacks = []
    for each in [body(NUMBERS.getrandbits(32), machine=59) for _ in range(EACH)]:
        cloud.adopt(each)
        begun = time.perf_counter()
        if connection.post("/callback", each) != 202:
            raise RuntimeError("a callback was not taken")
        callbacks.append(time.perf_counter() - begun)
    mailbox.wait_for(ASKING * EACH, TIMEOUT)
    buttons = [press(connection, cloud, *link) for link in accept_links(mailbox)]
    connection.close()
    mailbox.wait_for(MAILS * EACH, TIMEOUT)
    return Turn(statistics.median(callbacks), statistics.median(buttons))


def lines(rounds: Sequence[Round]) -> Iterator[str]:
    """What the rounds say, as a table."""
    yield "| what | wanted | measured | |"
    yield "|---|---|---|---|"
    for name, what in (("callback", "callback"), ("button", "button to platform")):
        times = {past: [getattr(turns[past], name) for turns in rounds] for past in PASTS}
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


def _past(folder: Path, smtp_port: int, tasks: int) -> str:
    """Give a gate its past; says what that took."""
    folder.mkdir()
    begun = time.monotonic()
    give_past(folder, smtp_port, tasks)
    size = (folder / "workflow.db").stat().st_size / 1e9
    return f"{tasks:,} tasks were stored in {time.monotonic() - begun:.0f} s, {size:.1f} GB"


def main() -> None:
    """Measure and write the report."""
    with (
        tempfile.TemporaryDirectory() as root,
        Cloud(keep_calls=2000) as cloud,
        Mailbox() as mailbox,
    ):
        folders = {past: Path(root) / str(past) for past in PASTS}
        filled = [_past(folder, mailbox.smtp_port, past) for past, folder in folders.items()]
        print(*filled, sep="\n", flush=True)
        table = list(lines(list(turns(folders, cloud, mailbox))))
        table += upkeep.lines(folders[PASTS[-1]], cloud)
    text = [f"{report.here()}. {'; '.join(filled[1:])}.", "", *table]
    print(*text, sep="\n")
    report.write("make aged", "".join(f"{line}\n" for line in text), PAGE)


if __name__ == "__main__":
    main()

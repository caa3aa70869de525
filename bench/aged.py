"""`python -m bench.aged`: what a long past costs, written into docs/benchmarks.md.

The first word may name the setup; numbers of tasks, if any, replace the pasts of the report.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bench import upkeep
from bench.setups import SETUPS, Setup, embedded
from bench.turns import Ages, ages, ratio
from tests import report

PASTS = (1_000, 100_000, 1_000_000)
ROUNDS, BACKLOGS = 7, 3
WANTED = 1.3
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
By = Sequence[Mapping[int, float]]


def lines(aged: Ages) -> Iterator[str]:
    """What is measured, as a table."""
    rounds = list(aged.rounds(ROUNDS))
    yield "| what | wanted | measured | |"
    yield "|---|---|---|---|"
    yield from _grown("callback, median", [each.callback for each in rounds], _milliseconds)
    yield from _grown("button to platform, median", [each.button for each in rounds], _milliseconds)
    computed = [each.computed for each in rounds]
    yield from _grown("processor time of a request, median", computed, _milliseconds)
    yield from _grown("backlog until mailed", list(aged.backlogs(BACKLOGS)), _a_second)
    last = [rounds[-1].memory]
    yield from _grown("memory of a process", last, lambda size: f"{size:.0f} MB")


def _grown(what: str, rounds: By, shown: Callable[[float], str]) -> Iterator[str]:
    """A line for each past: what it took, and how many times what it took with the shortest."""
    for past in rounds[0]:
        median = shown(statistics.median(each[past] for each in rounds))
        if past == min(rounds[0]):
            yield f"| {what}, {past:,} tasks stored | | {median} | |"
            continue
        times = ratio(rounds, past)
        verdict = "met" if times <= WANTED else "**short**"
        yield (
            f"| {what}, {past:,} tasks stored | ≤ {WANTED} times "
            f"| {median}, {times:.2f} times | {verdict} |"
        )


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms"


def _a_second(seconds: float) -> str:
    return f"{1 / seconds:.0f} requests a second"


def _sizes(aged: Ages, past: int) -> Iterator[str]:
    """How many bytes a stored task takes."""
    least = min(aged.sites)
    grown = aged.sites[past].store.size() - aged.sites[least].store.size()
    yield f"{past:,} tasks stored take {grown / (past - least):,.0f} bytes each"
    for name, size in aged.sites[past].store.tables().items():
        if size > past:
            yield f"{name} {size / past:,.0f}"


def measure(setup: Setup, pasts: Sequence[int]) -> list[str]:
    """The text of the report. What the upkeep does is up to the store, so one gate shows it."""
    begun = time.monotonic()
    with ages(setup, pasts) as aged:
        filled = f"{setup.title}, filled in {time.monotonic() - begun:.0f} s"
        sizes = [", ".join(_sizes(aged, past)) for past in pasts[1:]]
        table = list(lines(aged))
        if not setup.several and setup.engine is embedded:
            table += upkeep.lines(aged.sites[pasts[-1]].settings(), aged.cloud)
    return [f"{report.here()}, {filled}. {'; '.join(sizes)}.", "", *table]


def main(name: str = "sqlite", *pasts: str) -> None:
    """Measure, and write the report unless it is about other pasts."""
    text = "".join(
        f"{line}\n" for line in measure(SETUPS[name], [int(past) for past in pasts] or PASTS)
    )
    print(text, end="")
    if not pasts:
        report.write(f"make aged SETUP={name}", text, PAGE)


if __name__ == "__main__":
    main(*sys.argv[1:])

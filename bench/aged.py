"""`python -m bench.aged`: what a long past costs, written into docs/benchmarks.md.

The first word may name the store; numbers of tasks, if any, replace the pasts of the report.
"""

import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import stores, upkeep
from bench.setups import Setup
from bench.turns import Ages, Round, ages, ratio
from tests import report

PASTS = (100_000, 1_000_000)
ROUNDS = 11
WANTED = 1.3
WHAT = {
    "callback": "callback",
    "button": "button to platform",
    "computed": "processor time of a request",
}
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def lines(rounds: Sequence[Round], pasts: Sequence[int]) -> Iterator[str]:
    """What the rounds say, as a table."""
    yield "| what | wanted | measured | |"
    yield "|---|---|---|---|"
    for name, what in WHAT.items():
        times = [getattr(each, name) for each in rounds]
        empty = statistics.median(each[0] for each in times)
        yield f"| {what}, median, nothing stored | | {1000 * empty:.1f} ms | |"
        for past in pasts:
            times_as_long = ratio(rounds, name, past)
            median = statistics.median(each[past] for each in times)
            verdict = "met" if times_as_long <= WANTED else "**short**"
            yield (
                f"| {what}, median, {past:,} tasks stored | ≤ {WANTED} times "
                f"| {1000 * median:.1f} ms, {times_as_long:.2f} times | {verdict} |"
            )


def _sizes(aged: Ages, past: int) -> Iterator[str]:
    """How many bytes a stored task takes."""
    each = (aged.sites[past].store.size() - aged.sites[0].store.size()) / past
    yield f"{past:,} tasks stored take {each:,.0f} bytes each"
    for name, size in aged.sites[past].store.tables().items():
        if size > past:
            yield f"{name} {size / past:,.0f}"


def measure(setup: Setup, pasts: Sequence[int]) -> list[str]:
    """The text of the report."""
    begun = time.monotonic()
    with ages(setup, (0, *pasts)) as aged:
        filled = f"{setup.title}, filled in {time.monotonic() - begun:.0f} s"
        sizes = [", ".join(_sizes(aged, past)) for past in pasts]
        table = list(lines(list(aged.rounds(ROUNDS)), pasts))
        table += upkeep.lines(aged.sites[pasts[-1]].settings(), aged.cloud)
    return [f"{report.here()}, {filled}. {'; '.join(sizes)}.", "", *table]


def main(kind: str = "sqlite", *pasts: str) -> None:
    """Measure, and write the report unless it is about other pasts."""
    setup = Setup({"sqlite": "SQLite", "postgresql": "PostgreSQL"}[kind], stores.STORES[kind])
    text = "".join(f"{line}\n" for line in measure(setup, [int(past) for past in pasts] or PASTS))
    print(text, end="")
    if not pasts:
        report.write(f"make aged STORE={kind}", text, PAGE)


if __name__ == "__main__":
    main(*sys.argv[1:])

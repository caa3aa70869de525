"""`python -m bench`: measure, and write docs/benchmarks.md."""

import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from bench import scenarios
from bench.load import Measured

REPORT = Path(__file__).parent.parent / "docs" / "benchmarks.md"
STORED = 100_000
HEAD = """\
# Benchmarks

Written by `make bench` on {date}: {cores} cores, {system}, Python {python}. Gate, simulated
platform, mail sink and load generator share these cores. A loop of pure Python (`speed`, 3 million
additions) took {before:.2f} s before and {after:.2f} s after.

| what | wanted | measured | |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Figure:
    """One line of the report."""

    what: str
    wanted: str
    measured: str
    met: bool

    def __str__(self) -> str:
        verdict = "met" if self.met else "**short**"
        return f"| {self.what} | {self.wanted} | {self.measured} | {verdict} |"


def speed() -> float:
    """Seconds that this machine needs for a fixed piece of work, now."""
    started, total = perf_counter(), 0
    for number in range(3_000_000):
        total += number
    return perf_counter() - started


def of_callbacks(what: str, measured: Measured) -> Figure:
    """A figure of the callback load."""
    met = measured.rate >= 500 and measured.p99 < 60
    text = f"{measured.rate:.0f}/s, median {measured.median:.1f} ms, p99 {measured.p99:.1f} ms"
    return Figure(f"callbacks, 8 clients, {what}", "500/s, p99 < 60 ms", text, met)


def of_presses(what: str, measured: Measured) -> Figure:
    """A figure of the way from button to platform."""
    met = measured.median < 10 and measured.p99 < 40
    text = f"median {measured.median:.1f} ms, p99 {measured.p99:.1f} ms"
    return Figure(f"button to platform, {what}", "median < 10 ms, p99 < 40 ms", text, met)


def ratio(what: str, full: float, empty: float) -> Figure:
    """How much slower something is with many tasks stored."""
    value = full / empty
    return Figure(
        f"{what}, {STORED:,} tasks stored", "≤ 1.2 times", f"{value:.2f} times", value <= 1.2
    )


def figures() -> Iterator[Figure]:
    """Everything, in the order of the report."""
    empty, _ = scenarios.callbacks(0.0)
    yield of_callbacks("platform at once", empty)
    yield of_callbacks("platform needs 30 ms", scenarios.callbacks(scenarios.LATENCY)[0])
    yield of_callbacks("platform down", scenarios.callbacks(None)[0])
    quick = scenarios.presses()
    yield of_presses("one by one", quick)
    rate = scenarios.mails()
    yield Figure("callback to mail, platform needs 30 ms", "40/s", f"{rate:.0f}/s", rate >= 40)
    memory = scenarios.memory()
    yield Figure("memory after 10,000 callbacks", "< 100 MB", f"{memory:.0f} MB", memory < 100)
    full, _ = scenarios.callbacks(0.0, STORED)
    yield ratio("callback, median", full.median, empty.median)
    slow = scenarios.presses(STORED)
    yield ratio("button to platform, median", slow.median, quick.median)


def main() -> None:
    """Measure and write the report, line by line as the figures come in."""
    before, lines = speed(), []
    for figure in figures():
        print(figure, flush=True)
        lines.append(f"{figure}\n")
    head = HEAD.format(
        date=datetime.now(UTC).strftime("%d %B %Y"),
        cores=os.cpu_count(),
        system=platform.system(),
        python=platform.python_version(),
        before=before,
        after=speed(),
    )
    notes = REPORT.read_text("utf-8").partition("\n## ") if REPORT.exists() else ("", "", "")
    REPORT.write_text(head + "".join(lines) + "".join(notes[1:]), "utf-8")


if __name__ == "__main__":
    sys.exit(main())

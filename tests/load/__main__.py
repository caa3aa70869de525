"""The long form: `python -m tests.load MINUTES`, and what came of it, into docs/reliability.md."""

import logging
import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests import report
from tests.load import run as load
from tests.load.gauge import Gauge
from tests.load.run import Run, run

LENGTH, CALM = 40.0, 20.0  # seconds of a trouble, and before it
SEED = 7
LOG = Path("build/load.log")
SHOWN = 20  # lines of what went wrong
FIGURES = {"memory": "memory in MB", "files": "open files", "threads": "threads"}


def main(minutes: float) -> int:
    """Run and write the report; 1 if anything went wrong."""
    logging.basicConfig(level=logging.ERROR)
    LOG.parent.mkdir(exist_ok=True)
    done = run(60 * minutes, LENGTH, CALM, SEED, LOG)
    text = "".join(f"{line}\n" for line in _lines(done))
    sys.stdout.write(text)
    sys.stdout.writelines(f"wrong: {line}\n" for line in done.wrong)
    report.write("make load", text)
    return 1 if done.wrong else 0


def _lines(done: Run) -> Iterator[str]:
    requests = sum(statuses.total() for statuses in done.ledger.statuses.values())
    yield (
        f"{report.here()}, {done.seconds / 60:.0f} minutes: {requests:,} web requests, "
        f"{requests / done.seconds:.1f} a second, for which the gate used "
        f"{100 * done.gauge.load:.0f} % of a core."
    )
    yield ""
    yield "| web requests | answers | median | p99 | slowest |"
    yield "|---|---|---|---|---|"
    for what, statuses in done.ledger.statuses.items():
        answers = ", ".join(f"{status}: {number:,}" for status, number in sorted(statuses.items()))
        yield f"| {what} | {answers} | {_times(done.ledger.seconds[what])} |"
    yield ""
    yield from _troubles(done)
    yield from _holds(done.gauge)
    yield (
        f"* **{done.tasks:,} tasks** were announced, and all decided; {done.mails:,} mails came, "
        f"{done.repeated} of them more than once."
    )
    yield f"* **Lost or wrong: {len(done.wrong)}.**"
    yield from (f"  * {line}" for line in done.wrong[:SHOWN])


def _times(seconds: list[float]) -> str:
    p99 = statistics.quantiles(seconds, n=100)[98] if len(seconds) > 1 else seconds[0]
    return " | ".join(f"{1000 * t:.0f} ms" for t in (statistics.median(seconds), p99, max(seconds)))


def _troubles(done: Run) -> Iterator[str]:
    befell = Counter(spell.trouble.name for spell in done.spells)
    listed = ", ".join(f"{name} ({number} times)" for name, number in befell.items())
    yield (
        f"* **Troubles**, {LENGTH:.0f} s each, {CALM:.0f} s after the one before: {listed}. "
        f"{done.failed:,} attempts failed of these, and were repeated."
    )


def _holds(gauge: Gauge) -> Iterator[str]:
    held = "; ".join(f"{what} {gauge.trend(name)}" for name, what in FIGURES.items())
    yield (
        f"* **What the process holds**, median of the middle third → median of the last: {held}. "
        f"Memory {gauge.trend('memory').growth:+.1f} MB, wanted at most +{load.GROWTH:.0f} MB."
    )


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))

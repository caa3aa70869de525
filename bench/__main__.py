"""`python -m bench`: measure all setups, and write docs/benchmarks.md.

Words name some of the setups alone; what is measured then is printed and not written.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from bench import scenarios, standstill
from bench.aged import PAGE
from bench.load import Measured
from bench.setups import SETUPS, Setup
from bench.tables import Figure, table
from bench.turns import ages, ratio
from tests import report

STORED, ROUNDS = 100_000, 3
HEAD = """\
{here}, in {minutes:.0f} minutes. Gates, PostgreSQL, Temporal, simulated platform, mail sink and
load generator share these cores. A loop of pure Python (`speed`, 3 million additions) took
{before:.2f} s before and {after:.2f} s after.

"""


def speed() -> float:
    """Seconds that this machine needs for a fixed piece of work, now."""
    started, total = time.perf_counter(), 0
    for number in range(3_000_000):
        total += number
    return time.perf_counter() - started


def callbacks(setup: Setup) -> Iterator[Figure]:
    """Callbacks, and memory, which they are to leave alone."""
    flood = scenarios.flood(setup)
    yield _of_callbacks("callbacks, platform at once", flood.callbacks)
    yield _of_callbacks("callbacks, platform needs 30 ms", scenarios.slow_platform(setup))
    yield _of_callbacks("callbacks, platform down", scenarios.without_platform(setup))
    yield Figure("memory of a process after the start", "", _megabytes(flood.before))
    met = max(flood.after) < 100
    what = f"memory of a process after {scenarios.FLOOD:,} callbacks"
    yield Figure(what, "< 100 MB", _megabytes(flood.after), met)


def _of_callbacks(row: str, measured: Measured) -> Figure:
    met = measured.rate >= 500 and measured.p99 < 60
    text = f"{measured.rate:.0f}/s, median {measured.median:.1f} ms, p99 {measured.p99:.1f} ms"
    return Figure(row, "500/s, p99 < 60 ms", text, met)


def _megabytes(processes: Sequence[float]) -> str:
    return f"{' and '.join(f'{size:.0f}' for size in processes)} MB"


def presses(setup: Setup) -> Iterator[Figure]:
    """From the button to the platform."""
    measured = scenarios.presses(setup)
    met = measured.median < 10 and measured.p99 < 40
    text = f"median {measured.median:.1f} ms, p99 {measured.p99:.1f} ms"
    yield Figure("one by one", "median < 10 ms, p99 < 40 ms", text, met)


def mails(setup: Setup) -> Iterator[Figure]:
    """What is mailed and told, as it comes and after a standstill."""
    rate = scenarios.mails(setup)
    yield Figure("callback to mail", "40/s", f"{rate:.0f}/s", rate >= 40)
    drained = standstill.backlog(setup)
    yield Figure("backlog of requests, until mailed", "", f"{drained.mailed:.0f}/s")
    yield Figure("backlog of decisions, until told", "", f"{drained.told:.0f}/s")


def takeover(setup: Setup) -> Iterator[Figure]:
    """How long what a dead process held is left lying."""
    if setup.with_heirs.several:
        seconds = standstill.takeover(setup.with_heirs)
        yield Figure("kill -9, until others have told the platform", "", f"{seconds:.0f} s")


def past(setup: Setup) -> Iterator[Figure]:
    """How much slower a gate is that has stored much; about the store, so one gate is enough."""
    if not setup.several:
        with ages(setup, (0, STORED)) as aged:
            rounds = list(aged.rounds(ROUNDS))
        for row, name in {"callback": "callback", "button to platform": "button"}.items():
            times = ratio([getattr(each, name) for each in rounds], STORED)
            yield Figure(f"{row}, median", "≤ 1.2 times", f"{times:.2f} times", times <= 1.2)


def cost(setup: Setup) -> Iterator[Figure]:
    """What the arithmetic of docs/scaling.md begins with."""
    if not setup.several:
        found = scenarios.cost(setup)
        yield Figure("processor time of the gate", "", f"{1000 * found.seconds:.0f} ms")
        yield Figure("calls to the platform", "", f"{found.calls:.1f}")
        yield Figure("stored in all", "", _kilobytes(sum(found.tables.values())))
        for name, size in found.tables.items():
            if size >= 100:
                yield Figure(f"stored in {name}", "", _kilobytes(size))
        if found.database:
            yield Figure("commits of the database", "", f"{found.database['commits']:.0f}")
            log = _kilobytes(found.database["log"])
            yield Figure("written to the log of the database", "", log)


def _kilobytes(size: float) -> str:
    return f"{size / 1000:.1f} kB"


QUESTIONS: Mapping[str, Callable[[Setup], Iterator[Figure]]] = {
    "Callbacks, eight clients": callbacks,
    "From the button to the platform": presses,
    "Requests a second, platform needs 30 ms": mails,
    "When a process dies": takeover,
    "What one task costs, two managers asked": cost,
    f"With {STORED:,} tasks stored": past,
}


def lines(setups: Sequence[Setup]) -> Iterator[str]:
    """The tables, question by question, so that setups are compared at about the same time."""
    for question, answer in QUESTIONS.items():
        yield from table(question, {setup.title: list(answer(setup)) for setup in setups})


def main(*names: str) -> None:
    """Measure; print the tables as they come in, and write them if they are about all setups."""
    before, text, begun = speed(), "", time.monotonic()
    for line in lines([SETUPS[name] for name in names or SETUPS]):
        print(line, flush=True)
        text += f"{line}\n"
    minutes = (time.monotonic() - begun) / 60
    head = HEAD.format(here=report.here(), minutes=minutes, before=before, after=speed())
    if not names:
        report.write("make bench", head + text.rstrip("\n") + "\n", PAGE)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The long form: all ways, killed everywhere, and what came of it, into docs/reliability.md."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests import report
from tests.crash.runs import Run, crowd, walk_all, walk_some
from tests.crash.ways import WAYS

TWICE, CROWDS = 6, 24
HEAD = """\
{here}, {minutes:.0f} minutes.

| what | moments | runs | kills | lost or wrong | repeated | seconds a run |
|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Figure:
    """One line of the report."""

    what: str
    runs: Sequence[Run]

    def __str__(self) -> str:
        runs = self.runs
        moments = len({run.deaths[0] for run in runs})
        kills = sum(run.killed for run in runs)
        wrong = sum(bool(run.problems) for run in runs)
        repeated = sum(run.repeated for run in runs)
        seconds = sum(run.seconds for run in runs) / max(len(runs), 1)
        figures = (moments, len(runs), kills, wrong, repeated)
        return f"| {self.what} | {' | '.join(map(str, figures))} | {seconds:.1f} |"


def figures() -> Iterator[Figure]:
    """Everything, in the order of the report."""
    for way in WAYS:
        yield Figure(way.name, walk_all(way, afresh=True))
    twice = [run for way in WAYS for run in walk_some(way, TWICE, 2, seed=7, afresh=True)]
    yield Figure("any of these, killed twice at random", twice)
    crowds = [crowd(n, [1 + 37 * n % 150, 1 + 53 * n % 90], afresh=True) for n in range(CROWDS)]
    yield Figure("six requests at once, two managers who disagree", crowds)


def main() -> int:
    """Run everything and write the report; 1 if anything was lost or wrong."""
    begun, lines, wrong = time.monotonic(), [], 0
    for figure in figures():
        print(figure, flush=True)  # noqa: T201 - for whoever waits
        lines.append(f"{figure}\n")
        for run in figure.runs:
            if run.problems:
                wrong += 1
                print(run, flush=True)  # noqa: T201
    head = HEAD.format(here=report.here(), minutes=(time.monotonic() - begun) / 60)
    report.write("make crash", head + "".join(lines))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

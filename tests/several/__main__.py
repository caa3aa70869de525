"""The long form: 2,000 tasks on three gates, one of which dies every few seconds.

What came of it goes into docs/reliability.md.
"""

import random
import sys
import tempfile
from pathlib import Path

from tests import report, stores
from tests.several.day import Day
from tests.several.gates import gates

COUNT, PAUSE, LIMIT = 2000, 5.0, 3600.0
FOUND = """\
{here}: {count:,} tasks in {seconds:.0f} s, {kills} kills.

* **Lost or wrong: {wrong}.**
* {repeated} calls and mails came more than once.
* Presses were answered {answers}; whoever got 503 pressed again.
"""


def main() -> int:
    """Run it; 1 if anything was lost or wrong."""
    stores.use(stores.POSTGRESQL)
    with tempfile.TemporaryDirectory() as folder, gates(Path(folder), ["serve"] * 3) as three:
        day = Day(three, random.Random(7), LIMIT)  # noqa: S311 - not a secret
        day.run(COUNT, PAUSE)
        problems = list(day.problems())
        kills = sum(process.kills for process in three.processes)
        answers = ", ".join(f"{count:,} x {code}" for code, count in sorted(day.statuses.items()))
    found = FOUND.format(
        here=report.here(),
        count=COUNT,
        seconds=day.seconds,
        kills=kills,
        wrong=len(problems),
        repeated=day.repeated,
        answers=answers,
    )
    print(found, *problems, sep="\n")  # noqa: T201 - for whoever waits
    report.write("make several", found)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

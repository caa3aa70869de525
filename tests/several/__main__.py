"""The long form: 2,000 tasks on three gates, one of which dies every few seconds."""

import random
import sys
import tempfile
from pathlib import Path

from tests import stores
from tests.several.day import Day
from tests.several.gates import gates

COUNT, PAUSE, LIMIT = 2000, 5.0, 3600.0


def main() -> int:
    """Run it; 1 if anything was lost or wrong."""
    stores.use(stores.POSTGRESQL)
    with tempfile.TemporaryDirectory() as folder, gates(Path(folder), ["serve"] * 3) as three:
        day = Day(three, random.Random(7), LIMIT)  # noqa: S311 - not a secret
        day.run(COUNT, PAUSE)
        problems = list(day.problems())
        kills = sum(process.kills for process in three.processes)
        print(  # noqa: T201 - for whoever waits
            f"{COUNT} tasks in {day.seconds:.0f} s, {kills} kills: {len(problems)} lost or wrong, "
            f"{day.repeated} calls and mails repeated, answers {dict(day.statuses)}",
            *problems,
            sep="\n",
        )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

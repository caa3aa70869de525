"""Runs: a way, walked while the gate dies at chosen moments, and what came of it."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import count

from approval.model import Action
from tests.conftest import ANA, MAX, MONA
from tests.crash.service import moments
from tests.crash.stage import Stage, staged
from tests.crash.story import Story, broken, differences, repeats, told
from tests.crash.ways import Way

SIDE_BY_SIDE = 3  # most of a run is waiting
USERS = 6


@dataclass(frozen=True)
class Run:
    """What came of a run; `at` is where the gate died first, in words."""

    name: str
    deaths: tuple[int, ...]
    killed: int
    at: str
    problems: tuple[str, ...]
    repeated: int
    seconds: float

    def __str__(self) -> str:
        return "\n  ".join((f"{self.name}, killed at {self.deaths}: {self.at}", *self.problems))


def walk(way: Way, deaths: Sequence[int] = (), *, afresh: bool = False) -> Run:
    """Walk a way; the story has to be the one that is told when nothing dies."""
    wanted = story_of(way) if deaths else None
    begun = time.monotonic()
    with staged(deaths, settings=way.settings, afresh=afresh) as stage:
        way.walk(stage)
        found = [*_ended(stage), *broken(stage)]
        if wanted:
            found += differences(told(stage), wanted)
        return _run(way.name, stage, deaths, found, begun)


@cache
def story_of(way: Way) -> Story:
    """What is told when nothing dies."""
    with staged(settings=way.settings) as stage:
        way.walk(stage)
        problems = [*_ended(stage), *broken(stage)]
        assert not problems, problems
        return told(stage)


def walk_all(way: Way, *, afresh: bool = False) -> Iterator[Run]:
    """Walk a way once for each of its moments, until one outlives them."""
    story_of(way)
    numbers = count(1)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        while True:
            some = [next(numbers) for _ in range(SIDE_BY_SIDE)]
            runs = list(threads.map(lambda last: walk(way, [last], afresh=afresh), some))
            yield from (run for run in runs if run.killed)
            if not all(run.killed for run in runs):
                return


def crowd(seed: int, deaths: Sequence[int], *, afresh: bool = False) -> Run:
    """Many requests at once; both managers of each press, and not the same button."""
    begun, chance = time.monotonic(), random.Random(seed)  # noqa: S311 - not a secret
    with staged(deaths, afresh=afresh) as stage, ThreadPoolExecutor(2 * USERS) as people:
        sizes = [chance.randint(1, 3) for _ in range(USERS)]
        asked = list(people.map(stage.deploy, sizes))
        for tasks in asked:
            for _, manager in VOTERS:
                stage.mail(tasks[0], manager)
        presses = [(tasks, *who) for tasks in asked for who in VOTERS]
        chance.shuffle(presses)
        list(people.map(lambda press: stage.press(*press), presses))
        stage.rest()
        found = [*_ended(stage), *broken(stage), *_untold(stage)]
        return _run(f"a crowd, seed {seed}", stage, deaths, found, begun)


VOTERS = ((Action.ACCEPT, MONA), (Action.DECLINE, MAX))


def _untold(stage: Stage) -> Iterator[str]:
    """What a crowd's story lacks, or has too much of; who won cannot be foreseen."""
    for request, tasks in stage.rows("SELECT request_id, count(*) FROM tasks GROUP BY 1"):
        kinds = Counter(
            kind for (kind,) in stage.rows("SELECT kind FROM events WHERE request_id=?", request)
        )
        decided = "accepted" if "accepted" in kinds else "declined"
        wanted = {"received": 1, "asked": 1, "mailed": 2, "told": 2}
        if kinds != wanted | {decided: tasks, "delivered": tasks}:
            yield f"the trail of {request} holds {dict(kinds)}"
    mails = Counter(
        (mail.to, mail.subject[:3] == "Re:")
        for mail in {mail.message["Message-ID"]: mail for mail in stage.mails.all()}.values()
    )
    notes = mails[MONA, True] + mails[MAX, True]
    for what, number in (
        ("to Mona", mails[MONA, False]), ("to Max", mails[MAX, False]),
        ("to Ana", mails[ANA, False]), ("notes", notes),
    ):  # fmt: skip
        if number != USERS:
            yield f"{number} mails instead of {USERS} {what}"


def _ended(stage: Stage) -> Iterator[str]:
    if stage.service.end() != 0:
        yield f"it ended with {stage.service.process.exitcode}"


def _run(
    name: str, stage: Stage, deaths: Sequence[int], problems: Sequence[str], begun: float
) -> Run:
    had = moments(stage.folder)
    at = had[deaths[0] - 1] if stage.killed else ""
    seconds = time.monotonic() - begun
    return Run(name, tuple(deaths), stage.killed, at, tuple(problems), repeats(stage), seconds)

"""Runs: a way, walked while the gate dies at chosen moments, and what came of it."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

from approval.model import Action
from tests.conftest import ANA, MAX, MONA
from tests.crash.service import moments
from tests.crash.stage import Stage, staged
from tests.crash.story import Story, broken, differences, repeats, told
from tests.crash.ways import Way

SIDE_BY_SIDE = 3  # most of a run is waiting
USERS = 6
VOTERS = ((Action.ACCEPT, MONA), (Action.DECLINE, MAX))


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
    wanted, _ = reference(way)

    def act(stage: Stage) -> Iterator[str]:
        way.walk(stage)
        yield from _ended(stage)
        yield from differences(told(stage), wanted)

    return _run(way.name, act, deaths, way.settings, afresh)


@cache
def reference(way: Way) -> tuple[Story, int]:
    """What is told when nothing dies, and how many moments it takes."""
    with staged(settings=way.settings) as stage:
        way.walk(stage)
        problems = [*_ended(stage), *broken(stage)]
        assert not problems, problems
        return told(stage), len(moments(stage.folder))


def walk_all(way: Way, *, afresh: bool = False) -> list[Run]:
    """Walk a way once for each of its moments; those that outlived theirs are left out."""
    return _side_by_side(way, [[last + 1] for last in range(reference(way)[1])], afresh)


def walk_some(way: Way, number: int, lives: int, seed: int, *, afresh: bool = False) -> list[Run]:
    """Walk a way several times; the gate dies up to so many times, at random moments."""
    chance, last = random.Random(seed), reference(way)[1]  # noqa: S311 - not a secret
    deaths = [[chance.randint(1, last) for _ in range(lives)] for _ in range(number)]
    return _side_by_side(way, deaths, afresh)


def _side_by_side(way: Way, deaths: Sequence[Sequence[int]], afresh: bool) -> list[Run]:
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        runs = threads.map(lambda each: walk(way, each, afresh=afresh), deaths)
        return [run for run in runs if run.killed or run.problems]


def crowd(seed: int, deaths: Sequence[int], *, afresh: bool = False) -> Run:
    """Many requests at once; both managers of each press, and not the same button."""
    chance = random.Random(seed)  # noqa: S311 - not a secret

    def act(stage: Stage) -> Iterator[str]:
        with ThreadPoolExecutor(2 * USERS) as people:
            asked = list(people.map(stage.deploy, [chance.randint(1, 3) for _ in range(USERS)]))
            presses = [(tasks, *who) for tasks in asked for who in VOTERS]
            for tasks, _, manager in presses:
                stage.mail(tasks[0], manager)
            chance.shuffle(presses)
            list(people.map(lambda press: stage.press(*press), presses))
        stage.rest()
        yield from _ended(stage)
        yield from _untold(stage)

    return _run(f"a crowd, seed {seed}", act, deaths, "", afresh)


def _untold(stage: Stage) -> Iterator[str]:
    """What a crowd's story lacks, or has too much of; who won cannot be foreseen."""
    for request, tasks in stage.rows("SELECT request_id, count(*) FROM tasks GROUP BY 1"):
        kinds = Counter(
            kind for (kind,) in stage.rows("SELECT kind FROM events WHERE request_id=?", request)
        )
        decided = "accepted" if "accepted" in kinds else "declined"
        wanted = {"received": 1, "verified": 1, "asked": 1, "mailed": 2, "told": 2}
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
    if code := stage.end():
        yield f"it ended with {code}"


def _run(
    name: str,
    act: Callable[[Stage], Iterator[str]],
    deaths: Sequence[int],
    settings: str,
    afresh: bool,
) -> Run:
    begun = time.monotonic()
    with staged(deaths, settings=settings, afresh=afresh) as stage:
        try:
            problems = [*act(stage), *broken(stage)]
        except (AssertionError, TimeoutError) as error:
            problems = [f"it did not come to rest: {error}"]
        return Run(
            name,
            tuple(deaths),
            stage.killed,
            moments(stage.folder)[deaths[0] - 1] if stage.killed else "",
            tuple(problems),
            repeats(stage),
            time.monotonic() - begun,
        )

"""Whenever the gate is killed, nothing that was answered is lost, and all comes to rest.

The short form of `make crash`: all moments of the main way, some of others.
"""

import pytest

from tests.crash.runs import Run, crowd, walk_all, walk_some
from tests.crash.ways import BATCH, MAIN, TIMED, UNHEARD


def problems(runs: list[Run]) -> str:
    """What went wrong, and when the gate died before it did."""
    return "\n".join(str(run) for run in runs if run.problems)


def test_a_kill_at_any_moment_of_a_task_changes_nothing_of_what_becomes_of_it():
    runs = walk_all(MAIN)
    assert len(runs) > 30
    assert problems(runs) == ""


@pytest.mark.parametrize("way", [BATCH, UNHEARD], ids=lambda way: way.name)
def test_two_kills_at_random_moments_change_nothing_of_what_becomes_of_tasks(way):
    runs = walk_some(way, number=5, lives=2, seed=1)
    assert runs
    assert problems(runs) == ""


@pytest.mark.parametrize("way", TIMED, ids=lambda way: way.name)
def test_a_kill_changes_nothing_of_what_the_gate_does_when_its_time_has_come(way):
    runs = walk_some(way, number=4, lives=1, seed=1)
    assert runs
    assert problems(runs) == ""


@pytest.mark.parametrize("seed", range(3))
def test_kills_amid_many_requests_leave_each_decided_once_and_told(seed):
    run = crowd(seed, [40 + 30 * seed, 60])
    assert run.killed
    assert problems([run]) == ""

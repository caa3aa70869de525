"""Several processes on one database, and what becomes of the work of one that dies.

What takes minutes is left to `make several`.
"""

import random

import pytest

from approval.demo.cloud import Fault
from tests.conftest import MAX, MONA, press, wait_until
from tests.mails import Mails
from tests.several.day import Day
from tests.several.gates import gates
from tests.temporals import new_queue, temporal

__all__ = ["temporal"]
pytestmark = pytest.mark.only_on("postgresql")


def test_of_two_gates_that_die_while_all_begins_each_task_is_decided_once_and_told(tmp_path):
    with gates(tmp_path, ["serve"] * 2) as two:
        day = Day(two, random.Random(3), limit=300)  # noqa: S311 - not a secret
        day.run(8, pause=0.2, kills=3)
        assert "\n".join(day.problems()) == ""
        assert sum(process.kills for process in two.processes) > 0


@pytest.mark.long
def test_of_three_gates_that_die_at_random_each_task_is_decided_once_and_told(tmp_path):
    with gates(tmp_path, ["serve"] * 3) as three:
        day = Day(three, random.Random(1), limit=300)  # noqa: S311 - not a secret
        day.run(24, pause=3)
        assert "\n".join(day.problems()) == ""
        assert sum(process.kills for process in three.processes) > 0


@pytest.mark.long
def test_with_temporal_too_each_task_is_decided_once_and_told_though_workers_die(
    tmp_path, temporal
):
    sections = temporal.settings(new_queue())
    with gates(tmp_path, ["web", "worker", "worker"], sections) as parts:
        day = Day(parts, random.Random(2), limit=300)  # noqa: S311 - not a secret
        day.run(36, pause=1.5)
        assert "\n".join(day.problems()) == ""
        assert sum(process.kills for process in parts.processes[1:]) > 0
        wait_until(lambda: parts.store.rows("SELECT 1 FROM wakes") == [], timeout=60)
        assert [process.end() for process in parts.processes] == [0, 0, 0]


def test_who_answers_and_who_works_are_a_gate_and_the_next_ends_what_a_dead_one_began(tmp_path):
    with gates(tmp_path, ["web", "web", "worker"]) as parts:
        cloud, mails = parts.cloud, Mails(parts.mailbox)
        cloud.callback_url = f"{parts.url}/callback"
        [task] = cloud.deploy_machine(59)
        link = mails.about(task, MONA).link("accept")
        cloud.faults.plan(Fault(method="POST", delay=60))
        assert press(link).status_code == 200
        assert press(mails.about(task, MAX).link("decline")).status_code == 410
        begun = "SELECT 1 FROM jobs WHERE kind = 'release' AND lease IS NOT NULL"
        wait_until(lambda: parts.store.rows(begun))
        parts.processes[-1].kill()
        wait_until(lambda: cloud.task_state(task) != "QUEUEING", timeout=90)
        assert [process.end() for process in parts.processes] == [0, 0, 0]

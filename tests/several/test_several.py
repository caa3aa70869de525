"""Several gates on one database, and what becomes of the work of one that dies.

The short form of `make several`.
"""

import random

import pytest

from approval.demo.cloud import Fault
from tests.conftest import MAX, MONA, press, wait_until
from tests.mails import Mails
from tests.several.day import Day
from tests.several.gates import gates

pytestmark = pytest.mark.only_on("postgresql")


def test_of_three_gates_that_die_at_random_each_task_is_decided_once_and_told(tmp_path):
    with gates(tmp_path, ["serve"] * 3) as three:
        day = Day(three, random.Random(1), limit=200)  # noqa: S311 - not a secret
        day.run(40, pause=2)
        assert "\n".join(day.problems()) == ""
        assert sum(process.kills for process in three.processes) > 0


def test_who_only_answers_and_who_only_works_are_a_gate_together(tmp_path):
    with gates(tmp_path, ["web", "web", "worker"]) as parts:
        parts.cloud.callback_url = f"{parts.url}/callback"
        [task] = parts.cloud.deploy_machine(59)
        mails = Mails(parts.mailbox)
        assert press(mails.about(task, MONA).link("accept")).status_code == 200
        assert press(mails.about(task, MAX).link("decline")).status_code == 410
        wait_until(lambda: parts.cloud.task_state(task) != "QUEUEING")
        assert [process.end() for process in parts.processes] == [0, 0, 0]


def test_what_a_gate_had_begun_when_it_died_another_one_ends_within_a_lease(tmp_path):
    with gates(tmp_path, ["web", "worker"]) as parts:
        parts.cloud.callback_url = f"{parts.url}/callback"
        [task] = parts.cloud.deploy_machine(59)
        link = Mails(parts.mailbox).about(task, MONA).link("accept")
        parts.cloud.faults.plan(Fault(method="POST", delay=60))
        assert press(link).status_code == 200
        leased = "SELECT 1 FROM jobs WHERE kind = 'release' AND lease IS NOT NULL"
        wait_until(lambda: parts.store.rows(leased))
        parts.processes[1].kill()
        wait_until(lambda: parts.cloud.task_state(task) != "QUEUEING", timeout=60)

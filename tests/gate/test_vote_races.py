"""Presses at the same moment: of threads, and of processes on the same store."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

from approval.model import Action, TaskState
from tests.fakes import BEA, MAX

THREADS = 50
IDS = ["1", "2", "3"]


ACTIONS = {TaskState.ACCEPTED: Action.ACCEPT, TaskState.DECLINED: Action.DECLINE}


def assert_each_is_told_once(gate, request_id):
    """Whoever won: one decision a task, and the platform is told just that, once."""
    gate.pass_time(minutes=10)
    tasks = gate.request(request_id).tasks
    assert sorted(gate.platform.told) == [(task.held.id, ACTIONS[task.state]) for task in tasks]
    kinds = gate.kinds(request_id)
    assert kinds.count("accepted") + kinds.count("declined") == len(tasks)
    assert kinds.count("delivered") == len(tasks)


def test_of_many_threads_one_decides_each_task(gate):
    request_id = gate.ask(*IDS)
    links = [gate.open(person, *IDS) for person in (BEA, MAX)]
    start = Barrier(THREADS)

    def press(choice):
        link, action = choice
        start.wait()
        return gate.count(link, action)

    choices = [(links[number % 2], [*Action][number % 2]) for number in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as threads:
        results = list(threads.map(press, choices))
    assert sorted(t.held.id for result in results for t in result.decided) == IDS
    assert_each_is_told_once(gate, request_id)
    assert all(len(result.decided) + len(result.others) == len(IDS) for result in results)


def test_threads_that_press_different_buttons_of_one_batch_decide_each_task_once(gate):
    request_id = gate.ask(*IDS)
    links = {id: gate.open(BEA, id) for id in IDS} | {"all": gate.open(MAX, *IDS)}
    start = Barrier(4 * len(links))

    def press(link):
        start.wait()
        return gate.count(link, Action.ACCEPT if link.approver.name == "Bea" else Action.DECLINE)

    with ThreadPoolExecutor(4 * len(links)) as threads:
        results = list(threads.map(press, [*links.values()] * 4))
    assert sorted(t.held.id for result in results for t in result.decided) == IDS
    assert_each_is_told_once(gate, request_id)


def test_of_several_processes_one_decides_each_task(gate, store):
    request_id = gate.ask(*IDS)
    approvers = [gate.approver(request_id, person).id for person in (BEA, MAX)]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [
                        *(sys.executable, "-m", "tests.gate.presser"),
                        *(store.url, str(approvers[number % 2])),
                        *([*Action][number % 2], *IDS),
                    ],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for number in range(4)
        ]
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        counts = [int(process.stdout.readline()) for process in processes]
    assert sum(counts) == len(IDS)
    assert [process.returncode for process in processes] == [0] * 4
    assert_each_is_told_once(gate, request_id)

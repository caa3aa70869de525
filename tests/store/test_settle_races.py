from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from approval.model import TaskState
from approval.store import requests, tasks
from tests.store.values import insert_in, settle
from tests.stores import opened

THREADS = 20
STATES = [TaskState.ACCEPTED, TaskState.DECLINED, TaskState.WITHDRAWN]


@pytest.fixture
def task_id(database):
    request_id = insert_in(database, "1")
    with database.read() as session:
        return requests.load(session, request_id).tasks[0].id


def race(databases, task_id):
    """Settle one task from many threads, each in a name of its own; who won, in which state."""
    start = Barrier(THREADS)

    def run(number):
        start.wait()
        state = STATES[number % len(STATES)]
        with databases[number % len(databases)].write() as session:
            if settle(session, task_id, by=f"thread {number}", state=state):
                return f"thread {number}", state
            return None

    with ThreadPoolExecutor(THREADS) as threads:
        return [winner for winner in threads.map(run, range(THREADS)) if winner]


def kept(database, task_id):
    with database.read() as session:
        task = tasks.load(session, task_id)
    return task.decision.by, task.state


def test_of_many_threads_one_settles_the_task(database, task_id):
    [winner] = race([database], task_id)
    assert kept(database, task_id) == winner


def test_of_many_threads_on_several_pools_of_connections_one_settles_the_task(
    database, task_id, store
):
    with opened(store) as other:
        [winner] = race([database, other], task_id)
    assert kept(database, task_id) == winner

"""What the tests of the store write and read, and a look at it from outside."""

from approval.model import Delivery, TaskState
from approval.store import requests, tasks
from approval.store.database import Database
from tests.fakes import NOW, make_decision, make_held
from tests.stores import Store


def insert(session, *ids: str) -> str:
    """Store a request with these tasks; returns its id."""
    return requests.insert(session, "fake", [make_held(id) for id in ids], b"body", NOW)[0]


def insert_in(database: Database, *ids: str) -> str:
    with database.write() as session:
        return insert(session, *ids)


def settle(session, task_id: int, by: str = "Bea", state: TaskState = TaskState.ACCEPTED) -> bool:
    return tasks.settle(session, task_id, state, make_decision(by=by), Delivery.WAITING)


def on_disk(store: Store, query: str = "SELECT platform_task_id FROM tasks") -> list[str]:
    """What another program finds in the first column."""
    return [row[0] for row in store.rows(query)]

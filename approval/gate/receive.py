"""Receive a callback: store what the platform holds, once, and promise to consider it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from approval.platforms import Platform
from approval.store import jobs, requests, trail
from approval.store.database import Database


@dataclass(frozen=True)
class Received:
    """The answer to a callback; not `new` if it only repeated what is known."""

    request_id: str
    task_ids: list[str]
    new: bool


def receive(
    database: Database,
    platform: Platform,
    body: bytes,
    headers: Mapping[str, str],
    now: datetime,
) -> Received:
    """Take in a callback. Tasks that are known already are left as they stand.

    Raises CallbackError if it cannot be read, StoreDown if it cannot be stored.
    """
    tasks = platform.read(body, headers).tasks
    with database.write() as session:
        known = requests.known(session, platform.name, [task.id for task in tasks])
        new = [task for task in tasks if task.id not in known]
        if not new:
            return Received(known[tasks[0].id], [task.id for task in tasks], new=False)
        request_id = requests.insert(session, platform.name, new, body, now)
        count = f"{len(new)} task{'s' if len(new) > 1 else ''}"
        trail.record(session, request_id, "received", f"{count} from {platform.title}", now)
        jobs.add(session, jobs.Kind.CONSIDER, request_id, request_id, now)
    return Received(request_id, [task.id for task in new], new=True)

"""Receive a callback: store what the platform holds, once, and promise to consider it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from approval.gate.room import Room
from approval.model import HeldTask
from approval.platforms import Platform
from approval.store import jobs, requests, tasks
from approval.store.database import Database
from approval.store.session import Session


class Repeated(Exception):
    """Raised if every task is known, so that nothing is stored."""


class NoRoom(Exception):
    """Raised if too many tasks are pending to take in more."""


@dataclass(frozen=True)
class Received:
    """The answer to a callback; not `new` if it only repeated what is known."""

    request_id: str
    task_ids: list[str]
    new: bool


def receive(
    database: Database,
    platform: Platform,
    room: Room,
    body: bytes,
    headers: Mapping[str, str],
    now: datetime,
) -> Received:
    """Take in a callback. Tasks that are known already are left as they stand.

    Raises CallbackError if it cannot be read, StoreDown if it cannot be stored, NoRoom if it
    must not be.
    """
    held = platform.read(body, headers).tasks
    ids = [task.id for task in held]
    while True:
        with room.take(len(held)) as taken:
            fits = taken == len(held)
            if fits:
                with suppress(Repeated), database.write() as session:
                    return take_in(session, platform, held, body, now)
        # The first may be on its way to the disk yet: whoever is named has to be there.
        with database.write() as session:
            known = tasks.known(session, platform.name, ids)
        if known.keys() >= set(ids):
            return Received(known[ids[0]], ids, new=False)
        if not fits:
            raise NoRoom("too many tasks wait for a decision; reconciling takes these in later")


def take_in(
    session: Session,
    platform: Platform,
    held: Sequence[HeldTask],
    payload: bytes,
    now: datetime,
    how: str = "",
) -> Received:
    """Store those tasks of one requester that are unknown as a request, to be considered.

    Raises Repeated if none is; the transaction must not be committed then.
    """
    source = f"{platform.title}{how}"
    request_id, new = requests.insert(session, platform.name, held, payload, now, source)
    if not new:
        raise Repeated
    jobs.add(session, jobs.Kind.CONSIDER, request_id, request_id, now)
    return Received(request_id, [task.id for task in held if task.id in new], new=True)

"""Approval requests: write them, and read them as values with their tasks."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from approval.audit import testimony
from approval.model import ApprovalRequest, HeldTask, Person, TaskState
from approval.store import tasks, trail
from approval.store.session import Session
from approval.store.statements import new_id
from approval.store.tables import REQUESTS, TASKS

# Built once: building a statement costs more than running it.
_insert = sa.insert(REQUESTS)
_one = sa.select(
    *(column for column in REQUESTS.c if column.name != "payload")  # which may be a megabyte
).where(REQUESTS.c.id == sa.bindparam("request"))
_describe = (
    sa.update(REQUESTS)
    .where(REQUESTS.c.id == sa.bindparam("request"))
    .values(
        requester=sa.bindparam("who"),
        missing=sa.bindparam("what"),
        considered_at=sa.bindparam("at"),
    )
)
_close = (
    sa.update(REQUESTS)
    .where(
        REQUESTS.c.id == sa.bindparam("request"),
        ~sa.exists().where(
            TASKS.c.request_id == sa.bindparam("request"), TASKS.c.state == TaskState.PENDING
        ),
    )
    .values(
        closed_at=sa.func.coalesce(
            REQUESTS.c.closed_at, sa.bindparam("now", type_=REQUESTS.c.closed_at.type)
        )
    )
    .returning(REQUESTS.c.id)
)


def insert(
    session: Session,
    platform: str,
    held: Sequence[HeldTask],
    payload: bytes,
    now: datetime,
    source: str = "",
) -> tuple[str, set[str]]:
    """Store a new request with those of the tasks that are not known yet, all pending.

    `source` says where they come from, for the first event. Returns the request's id and the
    platform's ids of its tasks.
    """
    request_id = new_id(now)
    session.execute(
        _insert,
        {
            "id": request_id,
            "platform": platform,
            "received_at": now,
            "payload": payload,
            "missing": (),
            "events": 1,
        },
    )
    stored = tasks.add(session, request_id, platform, held)
    text = f"{len(stored)} task{'' if len(stored) == 1 else 's'} from {source}"
    said = testimony.received(text, sorted(stored), payload)
    trail.begin(session, request_id, platform, "received", said, now)
    return request_id, stored


def exists(session: Session, request_id: str) -> bool:
    """Whether there is such a request, purged or not."""
    return session.execute(_one, {"request": request_id}).first() is not None


def load(session: Session, request_id: str) -> ApprovalRequest | None:
    """A request with all its tasks; None if there is none, or it was purged."""
    row = session.execute(_one, {"request": request_id}).first()
    if row is None or row.purged_at is not None:
        return None
    return ApprovalRequest(
        id=row.id,
        received_at=row.received_at,
        requester=row.requester,
        missing=row.missing,
        closed_at=row.closed_at,
        decline_at=row.decline_at,
        tasks=tasks.of_request(session, request_id),
    )


def close_if_decided(session: Session, request_id: str, now: datetime) -> bool:
    """Close the request if no task of it is pending; says whether it is closed."""
    closed = session.scalar(_close, {"request": request_id, "now": now})
    if closed is not None:
        session.changed[request_id] = now
    return closed is not None


def describe(
    session: Session,
    request_id: str,
    requester: Person | None,
    missing: tuple[str, ...],
    now: datetime,
) -> None:
    """Keep what was found out about the request as a whole."""
    values = {"who": requester, "what": missing, "at": now}
    session.execute(_describe, {"request": request_id} | values)

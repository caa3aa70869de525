"""The audit trail: what happened to a request, in order, each event chained to the one before."""

import os
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from approval.audit import chain
from approval.store.session import Session
from approval.store.statements import INSTEAD, NUL
from approval.store.tables import EVENTS, REQUESTS

# Built once: building a statement costs more than running it.
_add = sa.insert(EVENTS)
_last = sa.select(EVENTS.c.hash).where(
    EVENTS.c.request_id == sa.bindparam("request"),
    # Written out: in RETURNING, columns lose the name of their table.
    EVENTS.c.position == sa.literal_column("approval_requests.events - 1", sa.Integer),
)
# One statement takes the next position and finds what to chain to. On PostgreSQL it also holds
# back others who add to the same request.
_next = (
    sa.update(REQUESTS)
    .where(REQUESTS.c.id == sa.bindparam("request"))
    .values(events=REQUESTS.c.events + 1)
    .returning(
        REQUESTS.c.events,
        REQUESTS.c.platform,
        REQUESTS.c.received_at,
        _last.scalar_subquery().label("previous"),
    )
)
_hash_at = sa.select(EVENTS.c.hash).where(
    EVENTS.c.request_id == sa.bindparam("request"), EVENTS.c.position == sa.bindparam("before")
)


class NoSuchRequest(Exception):
    """Raised if an event is recorded of a request that is not there; a bug of ours."""


@dataclass(frozen=True)
class Step:
    """That something happened, to the request or to one of its tasks."""

    at: datetime
    kind: str
    task_id: int | None


def begin(
    session: Session, request_id: str, platform: str, kind: str, text: str, now: datetime
) -> None:
    """Add the first event of a request that is stored at `now`, in the same transaction."""
    _write(session, request_id, 1, chain.origin(request_id, platform, now), kind, text, now, None)


def record(
    session: Session,
    request_id: str,
    kind: str,
    text: str,
    now: datetime,
    task_id: int | None = None,
) -> None:
    """Add one event. Rows of the trail are never changed."""
    row = session.execute(_next, {"request": request_id}).first()
    if row is None:
        raise NoSuchRequest(request_id)
    previous = row.previous
    if row.events == 1:
        previous = chain.origin(request_id, row.platform, row.received_at)
    elif previous is None:
        # PostgreSQL made us wait for somebody's event, which only a new statement can see.
        values = {"request": request_id, "before": row.events - 1}
        previous = session.scalar(_hash_at, values) or chain.NO_EVENT
    _write(session, request_id, row.events, previous, kind, text, now, task_id)


def _write(
    session: Session,
    request_id: str,
    position: int,
    previous: bytes,
    kind: str,
    text: str,
    now: datetime,
    task_id: int | None,
) -> None:
    text = text.replace(NUL, INSTEAD)
    salt = os.urandom(chain.SALT_LENGTH)
    digest = chain.digest_of(salt, text)
    session.execute(
        _add,
        {
            "request_id": request_id,
            "position": position,
            "task_id": task_id,
            "at": now,
            "kind": kind,
            "text": text,
            "salt": salt,
            "digest": digest,
            "hash": chain.link(previous, request_id, position, now, kind, task_id, digest),
        },
    )


def kinds(session: Session, request_id: str) -> list[str]:
    """The kinds of a request's events in the order in which they happened."""
    query = sa.select(EVENTS.c.kind).where(EVENTS.c.request_id == request_id)
    return list(session.scalars(query.order_by(EVENTS.c.position)))


def steps(session: Session, request_id: str, most: int) -> list[Step]:
    """What happened to a request last, in order, without the words of it."""
    query = (
        sa.select(EVENTS.c.at, EVENTS.c.kind, EVENTS.c.task_id)
        .where(EVENTS.c.request_id == request_id)
        .order_by(EVENTS.c.position.desc())
        .limit(most)
    )
    return [Step(*row) for row in reversed(session.execute(query).all())]

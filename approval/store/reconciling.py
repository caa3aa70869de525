"""What reconciling asks the store: what waits here, and how listed tasks stand."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

from approval.model import Delivery, TaskState
from approval.store.jobs import Kind
from approval.store.session import Session
from approval.store.tables import JOBS, REQUESTS, TASKS


class Place(NamedTuple):
    """A request's place in the order of arrival."""

    received_at: datetime
    request_id: str


BEGINNING = Place(datetime.min.replace(tzinfo=UTC), "")


@dataclass(frozen=True)
class Standing:
    """How a task of the platform stands here."""

    task_id: int
    request_id: str
    state: TaskState
    delivery: Delivery | None
    delivered_at: datetime | None


@dataclass(frozen=True)
class Undelivered:
    """A decision that the platform has not heard; `parked` if it waits for the operator.

    `unknown_since`: when reconciling first found that the platform does not know the task.
    """

    task_id: int
    request_id: str
    parked: bool
    unknown_since: datetime | None = None


_place = sa.tuple_(REQUESTS.c.received_at, REQUESTS.c.id)
_open = (
    sa.select(REQUESTS.c.received_at, REQUESTS.c.id)
    .where(
        REQUESTS.c.closed_at.is_(None),
        REQUESTS.c.considered_at.is_not(None),
        REQUESTS.c.platform == sa.bindparam("of_platform"),
        _place
        > sa.tuple_(
            sa.bindparam("since", type_=REQUESTS.c.received_at.type), sa.bindparam("after")
        ),
    )
    .order_by(REQUESTS.c.received_at, REQUESTS.c.id)
    .limit(sa.bindparam("most"))
)
_pending = (
    sa.select(TASKS.c.id, TASKS.c.platform_task_id)
    .where(TASKS.c.request_id == sa.bindparam("request"), TASKS.c.state == TaskState.PENDING)
    .order_by(TASKS.c.id)
)
_standing = sa.select(
    TASKS.c.platform_task_id,
    TASKS.c.id,
    TASKS.c.request_id,
    TASKS.c.state,
    TASKS.c.delivery,
    TASKS.c.delivered_at,
).where(
    TASKS.c.platform == sa.bindparam("of_platform"),
    TASKS.c.platform_task_id.in_(sa.bindparam("ids", expanding=True)),
)
_undelivered = (
    sa.select(JOBS.c.subject, JOBS.c.request_id, JOBS.c.parked_at, JOBS.c.awaits_since)
    .where(
        JOBS.c.kind == Kind.RELEASE,
        JOBS.c.subject > sa.bindparam("after"),
        JOBS.c.lease.is_(None),
        sa.or_(JOBS.c.parked_at.is_not(None), JOBS.c.made_at <= sa.bindparam("long_ago")),
    )
    .order_by(JOBS.c.subject)
    .limit(sa.bindparam("most"))
)
_note_unknown = sa.update(JOBS).where(
    JOBS.c.kind == Kind.RELEASE,
    JOBS.c.subject == sa.bindparam("task"),
    JOBS.c.parked_at.is_not(None),
)


def open_requests(session: Session, platform: str, after: Place, most: int) -> list[Place]:
    """Requests that were considered and still wait for somebody, from the oldest."""
    values = {"of_platform": platform, "since": after[0], "after": after[1], "most": most}
    return [Place(*row) for row in session.execute(_open, values)]


def pending_tasks(session: Session, request_id: str) -> dict[str, int]:
    """The pending tasks of a request: the platform's ids with ours."""
    rows = session.execute(_pending, {"request": request_id})
    return {row.platform_task_id: row.id for row in rows}


def standing(session: Session, platform: str, ids: Collection[str]) -> dict[str, Standing]:
    """How those of the platform's tasks stand that are known here."""
    rows = session.execute(_standing, {"of_platform": platform, "ids": list(ids)})
    return {platform_id: Standing(*rest) for platform_id, *rest in rows}


def undelivered(session: Session, after: str, long_ago: datetime, most: int) -> list[Undelivered]:
    """Decisions that were set aside, or that the platform has not heard since `long_ago`.

    They come in the order of their task ids as texts, those beyond `after`.
    """
    values = {"after": after, "long_ago": long_ago, "most": most}
    return [
        Undelivered(
            int(row.subject),
            row.request_id,
            row.parked_at is not None,
            row.awaits_since if row.parked_at is not None else None,
        )
        for row in session.execute(_undelivered, values)
    ]


def note_unknown(session: Session, task_id: int, since: datetime | None) -> None:
    """Note since when the platform does not know the task of a decision that was set aside.

    None: it knows it. Whoever takes the decision up again begins anew.
    """
    awaits = None if since is None else "task known"
    values = {"awaits": awaits, "awaits_since": since}
    session.execute(_note_unknown.values(values), {"task": str(task_id)})

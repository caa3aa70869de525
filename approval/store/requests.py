"""Approval requests and their tasks: write them, read them as values, decide them once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, cast

import sqlalchemy as sa

from approval.audit import testimony
from approval.model import (
    ApprovalRequest,
    Decision,
    Delivery,
    HeldTask,
    Machine,
    Person,
    Snapshot,
    Task,
    TaskState,
)
from approval.store import trail
from approval.store.session import Row, Session
from approval.store.statements import insert_into, new_id
from approval.store.tables import REQUESTS, TASKS, Value

# Built once: building a statement costs more than running it.
_insert_request = sa.insert(REQUESTS)
_known = sa.select(TASKS.c.platform_task_id, TASKS.c.request_id).where(
    TASKS.c.platform == sa.bindparam("of_platform"),
    TASKS.c.platform_task_id.in_(sa.bindparam("ids", expanding=True)),
)
_find_task = sa.select(TASKS.c.request_id, TASKS.c.id).where(
    TASKS.c.platform == sa.bindparam("of_platform"),
    TASKS.c.platform_task_id == sa.bindparam("named"),
)
_one_request = sa.select(
    *(column for column in REQUESTS.c if column.name != "payload")  # which may be a megabyte
).where(REQUESTS.c.id == sa.bindparam("request"))
_tasks_of = (
    sa.select(TASKS).where(TASKS.c.request_id == sa.bindparam("request")).order_by(TASKS.c.id)
)
_one_task = sa.select(TASKS).where(TASKS.c.id == sa.bindparam("task"))
_describe_request = (
    sa.update(REQUESTS)
    .where(REQUESTS.c.id == sa.bindparam("request"))
    .values(
        requester=sa.bindparam("who"),
        missing=sa.bindparam("what"),
        considered_at=sa.bindparam("at"),
    )
)
_update_task = sa.update(TASKS).where(TASKS.c.id == sa.bindparam("task"))
_describe_task = _update_task.values(
    held=sa.bindparam("new_held"),
    machine=sa.bindparam("new_machine"),
    previous=sa.bindparam("before"),
)
_deliver = _update_task.values(
    delivery=sa.bindparam("new_delivery"),
    delivery_note=sa.bindparam("note"),
    delivered_at=sa.bindparam("at"),
)
_undeliver = (
    _update_task.where(
        TASKS.c.delivery == Delivery.DELIVERED, TASKS.c.delivered_at == sa.bindparam("at")
    )
    .values(delivery=Delivery.WAITING, delivered_at=None)
    .returning(TASKS.c.id)
)
_settle = (
    _update_task.where(TASKS.c.state == TaskState.PENDING)
    .values(
        state=sa.bindparam("new_state"),
        decided_by=sa.bindparam("by"),
        decided_at=sa.bindparam("at"),
        reason=sa.bindparam("why"),
        delivery=sa.bindparam("new_delivery"),
    )
    .returning(TASKS.c.id)
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
# These values as their rows hold them.
_HELD, _MACHINE, _PREVIOUS = (
    cast(Value, TASKS.c[name].type).plain for name in ("held", "machine", "previous")
)


@cache
def _insert_tasks(dialect: str) -> Any:
    """The statement that adds those tasks that are not known yet, even if two callbacks race."""
    return insert_into(dialect, TASKS).on_conflict_do_nothing().returning(TASKS.c.platform_task_id)


def insert(
    session: Session,
    platform: str,
    tasks: Sequence[HeldTask],
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
        _insert_request,
        {
            "id": request_id,
            "platform": platform,
            "received_at": now,
            "payload": payload,
            "missing": (),
            "events": 1,
        },
    )
    rows = [
        {
            "request_id": request_id,
            "platform": platform,
            "platform_task_id": task.id,
            "held": task,
            "state": TaskState.PENDING,
        }
        for task in tasks
    ]
    statement = _insert_tasks(session.dialect)
    # One row in a list costs three times what it costs alone.
    stored = set(session.scalars(statement, rows if len(rows) > 1 else rows[0]))
    text = f"{len(stored)} task{'' if len(stored) == 1 else 's'} from {source}"
    said = testimony.received(text, sorted(stored), payload)
    trail.begin(session, request_id, platform, "received", said, now)
    return request_id, stored


def known(session: Session, platform: str, task_ids: Iterable[str]) -> dict[str, str]:
    """Which of the platform's task ids are known, each with its request's id."""
    rows = session.execute(_known, {"of_platform": platform, "ids": list(task_ids)})
    return {row.platform_task_id: row.request_id for row in rows}


def find_task(session: Session, platform: str, platform_task_id: str) -> tuple[str, int] | None:
    """The request id and the task id of a platform's task."""
    values = {"of_platform": platform, "named": platform_task_id}
    row = session.execute(_find_task, values).first()
    return (row.request_id, row.id) if row else None


def exists(session: Session, request_id: str) -> bool:
    """Whether there is such a request, purged or not."""
    return session.execute(_one_request, {"request": request_id}).first() is not None


def load(session: Session, request_id: str) -> ApprovalRequest | None:
    """A request with all its tasks; None if there is none, or it was purged."""
    row = session.execute(_one_request, {"request": request_id}).first()
    if row is None or row.purged_at is not None:
        return None
    return ApprovalRequest(
        id=row.id,
        received_at=row.received_at,
        requester=row.requester,
        missing=row.missing,
        closed_at=row.closed_at,
        decline_at=row.decline_at,
        tasks=tuple(map(_task, session.execute(_tasks_of, {"request": request_id}))),
    )


def load_task(session: Session, task_id: int) -> Task | None:
    """One task."""
    row = session.execute(_one_task, {"task": task_id}).first()
    return _task(row) if row else None


def _task(row: Row) -> Task:
    decision = None
    if row.decided_at is not None:
        decision = Decision(by=row.decided_by or "", at=row.decided_at, reason=row.reason or "")
    return Task(
        id=row.id,
        held=row.held,
        state=row.state,
        decision=decision,
        delivery=row.delivery,
        delivery_note=row.delivery_note or "",
        delivered_at=row.delivered_at,
        machine=row.machine,
        previous=row.previous,
    )


def settle(
    session: Session,
    task_id: int,
    state: TaskState,
    decision: Decision,
    delivery: Delivery | None,
) -> bool:
    """Decide a task if it is still pending; says whether it was. The first one wins."""
    won = session.scalar(
        _settle,
        {
            "task": task_id,
            "new_state": state,
            "by": decision.by,
            "at": decision.at,
            "why": decision.reason,
            "new_delivery": delivery,
        },
    )
    return won is not None


def close_if_decided(session: Session, request_id: str, now: datetime) -> bool:
    """Close the request if no task of it is pending; says whether it is closed."""
    closed = session.scalar(_close, {"request": request_id, "now": now})
    if closed is not None:
        session.changed[request_id] = now
    return closed is not None


def deliver(
    session: Session, task_id: int, delivery: Delivery, note: str, now: datetime | None
) -> None:
    """Note what became of telling the platform; `now` if it knows."""
    values = {"new_delivery": delivery, "note": note, "at": now}
    session.execute(_deliver, {"task": task_id} | values)


def undeliver(session: Session, task_id: int, delivered_at: datetime) -> bool:
    """Have the platform told again what it was told at that time; False if that was done."""
    again = session.scalar(_undeliver, {"task": task_id, "at": delivered_at})
    return again is not None


def describe_request(
    session: Session,
    request_id: str,
    requester: Person | None,
    missing: tuple[str, ...],
    now: datetime,
) -> None:
    """Keep what was found out about the request as a whole."""
    values = {"who": requester, "what": missing, "at": now}
    session.execute(_describe_request, {"request": request_id} | values)


def describe_task(
    session: Session,
    task_id: int,
    held: HeldTask,
    machine: Machine | None,
    previous: Snapshot | None,
) -> str:
    """Keep what was found out about one task, and the platform's own record of it.

    Returns what its row says now, for the trail.
    """
    values = {"new_held": held, "new_machine": machine, "before": previous}
    session.execute(_describe_task, {"task": task_id} | values)
    return testimony.task_is(task_id, _HELD(held), _MACHINE(machine), _PREVIOUS(previous))

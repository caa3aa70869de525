"""Approval requests and their tasks: write them, read them as values, decide them once."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm

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
from approval.store.tables import REQUESTS, TASKS, MachineRow, RequestRow, TaskRow, UTCDateTime

TIME = UTCDateTime()
# Built once: building a statement costs more than running it.
_insert_request, _insert_tasks = sa.insert(REQUESTS), sa.insert(TASKS)
_known = sa.select(TASKS.c.platform_task_id, TASKS.c.request_id).where(
    TASKS.c.platform == sa.bindparam("of_platform"),
    TASKS.c.platform_task_id.in_(sa.bindparam("ids", expanding=True)),
)
_settle = (
    sa.update(TASKS)
    .where(TASKS.c.id == sa.bindparam("task"), TASKS.c.state == TaskState.PENDING)
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
    .values(closed_at=sa.func.coalesce(REQUESTS.c.closed_at, sa.bindparam("now", type_=TIME)))
    .returning(REQUESTS.c.id)
)


def insert(
    session: orm.Session, platform: str, tasks: Sequence[HeldTask], payload: bytes, now: datetime
) -> str:
    """Store a new request with its tasks, all pending; returns the request's id."""
    request_id = uuid.uuid4().hex
    session.execute(
        _insert_request,
        {
            "id": request_id,
            "platform": platform,
            "received_at": now,
            "payload": payload,
            "missing": (),
        },
    )
    session.execute(
        _insert_tasks,
        [
            {
                "request_id": request_id,
                "platform": platform,
                "platform_task_id": task.id,
                "held": task,
                "state": TaskState.PENDING,
            }
            for task in tasks
        ],
    )
    return request_id


def known(session: orm.Session, platform: str, task_ids: Iterable[str]) -> dict[str, str]:
    """Which of the platform's task ids are known, each with its request's id."""
    rows = session.execute(_known, {"of_platform": platform, "ids": list(task_ids)})
    return {row.platform_task_id: row.request_id for row in rows}


def find_task(session: orm.Session, platform: str, platform_task_id: str) -> tuple[str, int] | None:
    """The request id and the task id of a platform's task."""
    row = session.execute(
        sa.select(TaskRow.request_id, TaskRow.id).where(
            TaskRow.platform == platform, TaskRow.platform_task_id == platform_task_id
        )
    ).first()
    return (row.request_id, row.id) if row else None


def load(session: orm.Session, request_id: str) -> ApprovalRequest | None:
    """A request with all its tasks."""
    row = session.get(RequestRow, request_id)
    if row is None:
        return None
    tasks = session.scalars(
        sa.select(TaskRow).where(TaskRow.request_id == request_id).order_by(TaskRow.id)
    )
    return ApprovalRequest(
        id=row.id,
        received_at=row.received_at,
        requester=row.requester,
        missing=row.missing,
        closed_at=row.closed_at,
        tasks=tuple(_task(task) for task in tasks),
    )


def load_task(session: orm.Session, task_id: int) -> Task | None:
    """One task."""
    row = session.get(TaskRow, task_id)
    return _task(row) if row else None


def _task(row: TaskRow) -> Task:
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
    session: orm.Session,
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


def close_if_decided(session: orm.Session, request_id: str, now: datetime) -> bool:
    """Close the request if no task of it is pending; says whether it is closed."""
    closed = session.scalar(_close, {"request": request_id, "now": now})
    return closed is not None


def anything_handled(session: orm.Session, request_id: str) -> bool:
    """Whether any task of the request is not pending any more."""
    handled = sa.exists().where(
        TASKS.c.request_id == request_id, TASKS.c.state != TaskState.PENDING
    )
    return bool(session.scalar(sa.select(handled)))


def deliver(
    session: orm.Session, task_id: int, delivery: Delivery, note: str, now: datetime | None
) -> None:
    """Note what became of telling the platform; `now` if it knows."""
    session.execute(
        sa.update(TaskRow)
        .where(TaskRow.id == task_id)
        .values(delivery=delivery, delivery_note=note, delivered_at=now)
        .execution_options(synchronize_session=False)
    )


def describe_request(
    session: orm.Session,
    request_id: str,
    requester: Person | None,
    missing: tuple[str, ...],
    now: datetime,
) -> None:
    """Keep what was found out about the request as a whole."""
    row = session.get_one(RequestRow, request_id)
    row.requester, row.missing, row.considered_at = requester, missing, now


def describe_task(
    session: orm.Session,
    task_id: int,
    held: HeldTask,
    machine: Machine | None,
    previous: Snapshot | None,
) -> None:
    """Keep what was found out about one task, and the platform's own record of it."""
    row = session.get_one(TaskRow, task_id)
    row.held, row.machine, row.previous = held, machine, previous


def last_known(session: orm.Session, platform: str, keys: Iterable[str]) -> Mapping[str, Snapshot]:
    """What the gate last knew of these machines, by their key."""
    rows = session.scalars(
        sa.select(MachineRow).where(MachineRow.platform == platform, MachineRow.key.in_(list(keys)))
    )
    return {row.key: Snapshot(row.machine, row.seen_at) for row in rows}


def remember(session: orm.Session, platform: str, machine: Machine, now: datetime) -> None:
    """Keep the machine as it is known to be from now on."""
    session.merge(MachineRow(platform=platform, key=machine.key, machine=machine, seen_at=now))

"""Tasks of requests: write them, read them as values, decide each once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, cast

import sqlalchemy as sa

from approval.audit import testimony
from approval.model import (
    Decision,
    Delivery,
    HeldTask,
    Machine,
    Snapshot,
    Task,
    TaskState,
)
from approval.store.session import Row, Session
from approval.store.statements import insert_into
from approval.store.tables import TASKS, Value

# Built once: building a statement costs more than running it.
_known = sa.select(TASKS.c.platform_task_id, TASKS.c.request_id).where(
    TASKS.c.platform == sa.bindparam("of_platform"),
    TASKS.c.platform_task_id.in_(sa.bindparam("ids", expanding=True)),
)
_find = sa.select(TASKS.c.request_id, TASKS.c.id).where(
    TASKS.c.platform == sa.bindparam("of_platform"),
    TASKS.c.platform_task_id == sa.bindparam("named"),
)
_of_request = (
    sa.select(TASKS).where(TASKS.c.request_id == sa.bindparam("request")).order_by(TASKS.c.id)
)
_one = sa.select(TASKS).where(TASKS.c.id == sa.bindparam("task"))
_update = sa.update(TASKS).where(TASKS.c.id == sa.bindparam("task"))
_describe = _update.values(
    held=sa.bindparam("new_held"),
    machine=sa.bindparam("new_machine"),
    previous=sa.bindparam("before"),
)
_deliver = _update.values(
    delivery=sa.bindparam("new_delivery"),
    delivery_note=sa.bindparam("note"),
    delivered_at=sa.bindparam("at"),
)
_undeliver = (
    _update.where(
        TASKS.c.delivery == Delivery.DELIVERED, TASKS.c.delivered_at == sa.bindparam("at")
    )
    .values(delivery=Delivery.WAITING, delivered_at=None)
    .returning(TASKS.c.id)
)
_settle = (
    _update.where(TASKS.c.state == TaskState.PENDING)
    .values(
        state=sa.bindparam("new_state"),
        decided_by=sa.bindparam("by"),
        decided_at=sa.bindparam("at"),
        reason=sa.bindparam("why"),
        delivery=sa.bindparam("new_delivery"),
    )
    .returning(TASKS.c.id)
)
# These values as their rows hold them.
_HELD, _MACHINE, _PREVIOUS = (
    cast(Value, TASKS.c[name].type).plain for name in ("held", "machine", "previous")
)


@cache
def _add(dialect: str) -> Any:
    """The statement that adds those tasks that are not known yet, even if two callbacks race."""
    return insert_into(dialect, TASKS).on_conflict_do_nothing().returning(TASKS.c.platform_task_id)


def add(session: Session, request_id: str, platform: str, held: Sequence[HeldTask]) -> set[str]:
    """Store those tasks that are not known yet, all pending; returns the platform's ids of them."""
    rows = [
        {
            "request_id": request_id,
            "platform": platform,
            "platform_task_id": task.id,
            "held": task,
            "state": TaskState.PENDING,
        }
        for task in held
    ]
    # One row in a list costs three times what it costs alone.
    return set(session.scalars(_add(session.dialect), rows if len(rows) > 1 else rows[0]))


def known(session: Session, platform: str, task_ids: Iterable[str]) -> dict[str, str]:
    """Which of the platform's task ids are known, each with its request's id."""
    rows = session.execute(_known, {"of_platform": platform, "ids": list(task_ids)})
    return {row.platform_task_id: row.request_id for row in rows}


def find(session: Session, platform: str, platform_task_id: str) -> tuple[str, int] | None:
    """The request id and the task id of a platform's task."""
    values = {"of_platform": platform, "named": platform_task_id}
    row = session.execute(_find, values).first()
    return (row.request_id, row.id) if row else None


def load(session: Session, task_id: int) -> Task | None:
    """One task."""
    row = session.execute(_one, {"task": task_id}).first()
    return _task(row) if row else None


def of_request(session: Session, request_id: str) -> tuple[Task, ...]:
    """The tasks of a request, in the order of its callback."""
    return tuple(map(_task, session.execute(_of_request, {"request": request_id})))


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


def describe(
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
    session.execute(_describe, {"task": task_id} | values)
    return testimony.task_is(task_id, _HELD(held), _MACHINE(machine), _PREVIOUS(previous))

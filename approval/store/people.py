"""Approvers and their votes: who is asked, who was mailed, what they chose."""

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from approval.model import CODE_TRIES, Action, Approver, MailState, Person, TaskState
from approval.store.session import Row, Session
from approval.store.tables import APPROVERS, TASKS, TIME, VOTES

# Built once: building a statement costs more than running it.
_ask = sa.insert(APPROVERS).returning(APPROVERS.c.id, sort_by_parameter_order=True)
_one = sa.select(APPROVERS).where(APPROVERS.c.id == sa.bindparam("approver"))
_asked = (
    sa.select(APPROVERS)
    .where(APPROVERS.c.request_id == sa.bindparam("request"))
    .order_by(APPROVERS.c.id)
)
_mailed = (
    sa.update(APPROVERS)
    .where(APPROVERS.c.id == sa.bindparam("approver"))
    .values(
        mail=MailState.SENT,
        mailed_at=sa.bindparam("at", type_=TIME),
        thread=sa.func.coalesce(APPROVERS.c.thread, sa.bindparam("new_thread")),
        signed_by=sa.bindparam("mark"),
    )
)
_not_mailed = (
    sa.update(APPROVERS)
    .where(APPROVERS.c.id == sa.bindparam("approver"))
    .values(mail=sa.bindparam("new_state"))
)
_reminded = (
    sa.update(APPROVERS)
    .where(APPROVERS.c.id == sa.bindparam("approver"))
    .values(
        reminders=APPROVERS.c.reminders + 1,
        mailed_at=sa.bindparam("at", type_=TIME),
        signed_by=sa.bindparam("mark"),
    )
)
# Links of whom decide; see `Approver.can_decide`.
CAN_DECIDE = sa.and_(APPROVERS.c.revoked_at.is_(None), APPROVERS.c.wrong_codes < CODE_TRIES)
_vote = sa.insert(VOTES)
# A vote of who may still decide: one statement, so that no press slips in beside a withdrawal.
_vote_of = (
    sa.insert(VOTES)
    .from_select(
        ["task_id", "approver_id", "action", "comment", "cast_at"],
        sa.select(
            sa.bindparam("task_id", type_=VOTES.c.task_id.type),
            APPROVERS.c.id,
            sa.bindparam("action", type_=VOTES.c.action.type),
            sa.bindparam("comment", type_=VOTES.c.comment.type),
            sa.bindparam("cast_at", type_=TIME),
        )
        .where(APPROVERS.c.id == sa.bindparam("approver_id"), CAN_DECIDE)
        .with_for_update(),
    )
    .returning(VOTES.c.id)
)
_own = sa.exists().where(
    VOTES.c.task_id == TASKS.c.id, VOTES.c.approver_id == sa.bindparam("approver")
)
_ended_without = sa.select(
    sa.exists().where(
        TASKS.c.id.in_(sa.bindparam("tasks", expanding=True)),
        TASKS.c.state != TaskState.PENDING,
        sa.not_(_own),
    )
)
_voted_on = (
    sa.select(VOTES.c.task_id)
    .join(TASKS, TASKS.c.id == VOTES.c.task_id)
    .where(
        TASKS.c.request_id == sa.bindparam("request"),
        VOTES.c.approver_id == sa.bindparam("approver"),
    )
)


def ask(session: Session, request_id: str, people: Sequence[Person]) -> list[int]:
    """Make these people approvers of the request; returns their ids, which rise in their order."""
    rows = [
        {
            "request_id": request_id,
            "person_key": person.key,
            "name": person.name,
            "address": person.address or "",
            "mail": MailState.WAITING,
        }
        for person in people
    ]
    return list(session.scalars(_ask, rows))


def approver(session: Session, approver_id: int) -> Approver | None:
    """One approver."""
    row = session.execute(_one, {"approver": approver_id}).first()
    return approver_of(row) if row else None


def approvers(session: Session, request_id: str) -> list[Approver]:
    """Everybody who is asked about the request."""
    return [approver_of(row) for row in session.execute(_asked, {"request": request_id})]


def approver_of(row: Row) -> Approver:
    """The value that a row of the table stands for."""
    return Approver(
        id=row.id,
        request_id=row.request_id,
        name=row.name,
        address=row.address,
        mail=row.mail,
        mailed_at=row.mailed_at,
        thread=row.thread,
        revoked_at=row.revoked_at,
        wrong_codes=row.wrong_codes,
        reminders=row.reminders,
    )


def mailed(session: Session, approver_id: int, now: datetime, thread: str, mark: str) -> None:
    """Note that links were mailed in this thread, signed with the key of this mark."""
    values = {"approver": approver_id, "at": now, "new_thread": thread, "mark": mark}
    session.execute(_mailed, values)


def not_mailed(session: Session, approver_id: int, state: MailState) -> None:
    """Note that the mail was refused, or was not needed."""
    session.execute(_not_mailed, {"approver": approver_id, "new_state": state})


def reminded(session: Session, approver_id: int, now: datetime, mark: str) -> None:
    """Note that the approver was mailed links once more, for they had not decided."""
    session.execute(_reminded, {"approver": approver_id, "at": now, "mark": mark})


def vote(
    session: Session,
    task_id: int,
    approver_id: int | None,
    action: Action,
    comment: str,
    now: datetime,
) -> bool:
    """Keep one approver's vote on one task; False if they may not decide any more."""
    values = {
        "task_id": task_id,
        "approver_id": approver_id,
        "action": action,
        "comment": comment,
        "cast_at": now,
    }
    if approver_id is None:
        session.execute(_vote, values)
        return True
    return session.scalar(_vote_of, values) is not None


def ended_without(session: Session, approver: Approver, tasks: Collection[int]) -> bool:
    """Whether any of these tasks is decided or withdrawn, and not by the approver."""
    values = {"tasks": list(tasks), "approver": approver.id}
    return bool(session.scalar(_ended_without, values))


def voted_on(session: Session, approver: Approver) -> set[int]:
    """The tasks of the request on which the approver has voted."""
    values = {"request": approver.request_id, "approver": approver.id}
    return set(session.scalars(_voted_on, values))

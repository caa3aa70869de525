"""Jobs: promises to act outside the database, kept until they are done."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as sa

from approval.store import locks
from approval.store.session import Row, Session
from approval.store.statements import insert_into, new_id
from approval.store.tables import JOBS


class Lane(StrEnum):
    """Who waits at the other end; each lane has its own threads, so a slow one delays no other."""

    RELEASE = "release"  # the platform, told of decisions: always at once
    CONSIDER = "consider"  # the platform, asked about new tasks
    MAIL = "mail"
    UPKEEP = "upkeep"  # nobody: what is done again and again, or when its time has come


class Kind(StrEnum):
    """What a job does; its subject is the id of a request, a task, an approver or an alert.

    What is done again and again has the subject `EVERYTHING`.
    """

    CONSIDER = "consider"  # a request: look, describe, find whom to ask
    ASK = "ask"  # an approver: mail the links
    RELEASE = "release"  # a task: tell the platform
    OUTCOME = "outcome"  # a request: tell the requester
    NOTE = "note"  # an approver: tell that it was decided
    REMIND = "remind"  # an approver: mail fresh links to what is still pending
    LAPSE = "lapse"  # a request: decline what nobody has decided in time
    ALERT = "alert"  # an alert: tell the operator
    RECONCILE = "reconcile"  # again and again: compare with what the platform holds
    PURGE = "purge"  # again and again: drop personal data that is too old


LANES = {
    Kind.CONSIDER: Lane.CONSIDER,
    Kind.RELEASE: Lane.RELEASE,
    Kind.ASK: Lane.MAIL,
    Kind.OUTCOME: Lane.MAIL,
    Kind.NOTE: Lane.MAIL,
    Kind.REMIND: Lane.MAIL,
    Kind.LAPSE: Lane.UPKEEP,
    Kind.ALERT: Lane.MAIL,
    Kind.RECONCILE: Lane.UPKEEP,
    Kind.PURGE: Lane.UPKEEP,
}
EVERYTHING = "all"
ROUNDS = (Kind.RECONCILE, Kind.PURGE)  # done again and again, by the clock
WHILE_OPEN = (Kind.REMIND, Kind.LAPSE)  # there is nothing to do for a closed request

# Built once: building a statement costs more than running it.
_begin_anew = (
    sa.update(JOBS)
    .where(JOBS.c.id == sa.bindparam("job"))
    .values(
        {name: sa.bindparam("now", type_=JOBS.c.due.type) for name in ("due", "made_at")}
        | {name: None for name in ("parked_at", "error", "awaits", "awaits_since")}
        | {"attempts": 0, "run": JOBS.c.run + 1}
    )
)
_drop_of_closed = sa.delete(JOBS).where(
    JOBS.c.request_id == sa.bindparam("request"),
    JOBS.c.kind.in_(WHILE_OPEN),
    JOBS.c.lease.is_(None),
)


def owner_of(kind: str, request_id: str | None) -> str:
    """Who a job belongs to: its request, or for want of one all jobs of its kind."""
    return request_id or kind


def note(session: Session, lane: str, owner: str, now: datetime) -> None:
    """Note what the engine has to hear of once this transaction is on the disk."""
    session.lanes.append(lane)
    note_change(session, owner, now)


def note_change(session: Session, owner: str, now: datetime) -> None:
    """Note that an owner's jobs are others now."""
    if owner not in ROUNDS:
        session.changed[owner] = now


@cache
def _promise_once(dialect: str) -> Any:
    """The statement that adds a job unless it stands; one that was set aside is taken up."""
    insert = insert_into(dialect, JOBS)
    return insert.on_conflict_do_update(
        index_elements=["kind", "subject"],
        set_={"due": insert.excluded.due, "attempts": 0, "error": None, "parked_at": None},
        where=JOBS.c.parked_at.is_not(None),
    ).returning(JOBS.c.id)


@cache
def _promise(dialect: str) -> Any:
    """The statement that adds a job or renews it."""
    insert = insert_into(dialect, JOBS)
    sooner = sa.and_(JOBS.c.lease.is_(None), insert.excluded.due < JOBS.c.due)
    return insert.on_conflict_do_update(
        index_elements=["kind", "subject"],
        set_={
            "run": JOBS.c.run + 1,
            "due": sa.case((sooner, insert.excluded.due), else_=JOBS.c.due),
            "made_at": insert.excluded.made_at,
            "attempts": 0,
            "error": None,
            "parked_at": None,
        },
    ).returning(JOBS.c.id)


def add(
    session: Session,
    kind: Kind,
    subject: object,
    request_id: str | None,
    now: datetime,
    due: datetime | None = None,
    *,
    renew: bool = True,
) -> bool:
    """Promise to act, at `due` or now. Once promised is enough: a repeat renews what stands.

    Of two times the sooner one counts. How long a job has waited is counted from when it is due.

    A renewed job runs again even if it is running at this moment: the world has changed
    since it began, so it has another key. With `renew` False a job that stands is left as it
    is. Returns whether there is anything to do that there was not before.
    """
    values = {
        "id": new_id(now),
        "kind": kind,
        "subject": str(subject),
        "request_id": request_id,
        "lane": LANES[kind],
        "made_at": due or now,
        "due": due or now,
        "attempts": 0,
        "run": 0,
    }
    promise = _promise if renew else _promise_once
    promised = session.scalar(promise(session.dialect), values) is not None
    if promised:
        note(session, LANES[kind], owner_of(kind, request_id), now)
    return promised


def begin_round(session: Session, kind: Kind, now: datetime) -> None:
    """Promise what is done again and again, due now; it has waited since it was due."""
    row = sa.and_(JOBS.c.kind == kind, JOBS.c.subject == EVERYTHING)
    since = session.scalar(sa.select(JOBS.c.made_at).where(row))
    add(session, kind, EVERYTHING, None, now)
    if since is not None and since < now:
        session.execute(sa.update(JOBS).where(row).values(made_at=since))


def drop(session: Session, kind: Kind, subject: object, now: datetime) -> bool:
    """Take a promise back; False if it does not stand, or somebody works on it."""
    idle = sa.and_(JOBS.c.kind == kind, JOBS.c.subject == str(subject), JOBS.c.lease.is_(None))
    dropped = session.execute(sa.delete(JOBS).where(idle).returning(JOBS.c.request_id)).first()
    if dropped is not None:
        note_change(session, owner_of(kind, dropped.request_id), now)
    return dropped is not None


def drop_of_closed(session: Session, request_id: str) -> None:
    """Take back what was promised for the time while the request is open."""
    session.execute(_drop_of_closed, {"request": request_id})


def take_up(
    session: Session, kinds: Iterable[Kind], subjects: Iterable[str] | None, now: datetime
) -> Sequence[Row]:
    """Make parked jobs and those that wait for another try due now; returns them as they were."""
    failed = sa.and_(JOBS.c.attempts > 0, JOBS.c.lease.is_(None))
    query = sa.select(JOBS).where(
        sa.or_(JOBS.c.parked_at.is_not(None), failed), JOBS.c.kind.in_(list(kinds))
    )
    if subjects is not None:
        query = query.where(JOBS.c.subject.in_(list(subjects)))
    concerned = session.scalars(query.with_only_columns(JOBS.c.request_id))
    locks.hold(session, *filter(None, concerned.all()))
    rows = session.execute(query.order_by(JOBS.c.kind, JOBS.c.subject).with_for_update()).all()
    if rows:
        session.execute(_begin_anew, [{"job": row.id, "now": now} for row in rows])
    for row in rows:
        note(session, row.lane, owner_of(row.kind, row.request_id), now)
    return rows


@dataclass(frozen=True)
class Backlog:
    """How many jobs of a kind wait and since when the oldest, and how many are parked."""

    kind: str
    waiting: int
    oldest: datetime | None
    parked: int


def backlog(session: Session) -> list[Backlog]:
    """The jobs that are not done, by kind."""
    parked = sa.func.count(JOBS.c.parked_at)
    oldest = sa.func.min(sa.case((JOBS.c.parked_at.is_(None), JOBS.c.made_at)))
    rows = session.execute(
        sa.select(JOBS.c.kind, sa.func.count() - parked, oldest, parked).group_by(JOBS.c.kind)
    )
    return [Backlog(*row) for row in rows]


def parked(session: Session, request_id: str) -> int:
    """How many jobs of a request wait for the operator."""
    query = sa.select(sa.func.count()).where(
        JOBS.c.request_id == request_id, JOBS.c.parked_at.is_not(None)
    )
    return session.scalar(query) or 0

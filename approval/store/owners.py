"""Owners of jobs: a request, or for jobs without one all of their kind (see `jobs.owner_of`)."""

from datetime import datetime

import sqlalchemy as sa

from approval.store import locks
from approval.store.jobs import LANES, ROUNDS, Kind, Lane
from approval.store.session import Session
from approval.store.tables import JOBS

KINDS = frozenset((Kind.ALERT, *ROUNDS))  # none of which has a request
OF_REQUEST = JOBS.c.request_id == sa.bindparam("owner")
OF_KIND = JOBS.c.kind == sa.bindparam("owner")

# Built once: building a statement costs more than running it.
_waiting = JOBS.c.parked_at.is_(None)
_dues_of = sa.select(JOBS.c.lane, JOBS.c.due).where(_waiting, OF_REQUEST)
_due_alone = sa.select(sa.func.min(JOBS.c.due)).where(
    _waiting, OF_KIND, JOBS.c.lane == sa.bindparam("of_lane")
)
_failing = _due_alone.where(JOBS.c.attempts > 0)
_leased = sa.and_(JOBS.c.lease.is_not(None), JOBS.c.lane == sa.bindparam("of_lane"))
_take_over, _take_over_alone = (
    sa.update(JOBS)
    .where(_leased, whose)
    .values(lease=None, due=sa.bindparam("now", type_=JOBS.c.due.type))
    for whose in (OF_REQUEST, OF_KIND)
)


def whose(owner: str) -> sa.ColumnElement[bool]:
    """Which jobs are an owner's; its name is the parameter `owner`."""
    return OF_KIND if owner in KINDS else OF_REQUEST


def dues_of(session: Session, owner: str) -> dict[Lane, datetime]:
    """When the next job of an owner is due, by lane."""
    if owner in KINDS:
        lane = LANES[Kind(owner)]
        due = session.scalar(_due_alone, {"owner": owner, "of_lane": lane})
        return {lane: due} if due else {}
    dues: dict[Lane, datetime] = {}
    for lane, due in session.execute(_dues_of, {"owner": owner}):
        dues[Lane(lane)] = min(due, dues.get(Lane(lane), due))
    return dues


def failing(session: Session, kind: Kind) -> datetime | None:
    """When a round that did not work is tried again; None if all is well."""
    due: datetime | None = session.scalar(_failing, {"owner": kind, "of_lane": LANES[kind]})
    return due


def take_over(session: Session, lane: Lane, owner: str, now: datetime) -> None:
    """Make leased jobs of an owner due at once: whoever held them is known to be gone."""
    if owner not in KINDS:
        locks.hold(session, owner)
    statement = _take_over_alone if owner in KINDS else _take_over
    session.execute(statement, {"of_lane": lane, "owner": owner, "now": now})

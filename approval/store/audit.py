"""Read the audit trail back: request by request, or as one stream in the order of time.

Everything here needs little memory, however long the trail is.
"""

from collections.abc import Generator, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from approval.audit import Event, Subject, SubjectTask, SubjectVote
from approval.store import counters, subjects
from approval.store.session import Row, Session
from approval.store.tables import APPROVERS, EVENTS, REQUESTS, TASKS

AT_ONCE = 200  # requests, or events in a stream
_last = sa.select(sa.func.coalesce(sa.func.max(EVENTS.c.id), 0))
# Whoever adds events holds this lock from before an id is given out until the event can be seen.
_writers = sa.text(
    "SELECT virtualtransaction FROM pg_locks WHERE relation = 'events'::regclass "
    "AND mode = 'RowExclusiveLock' "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)

Whole = tuple[Subject | None, list[SubjectTask], list[Event]]


def whole(session: Session, request_id: str) -> Whole:
    """One request with its tasks and events; without request if there is none."""
    found = dict(_between(session, request_id, request_id))
    return found.get(request_id, (None, [], []))


def all_requests(session: Session) -> Iterator[tuple[str, Whole | None]]:
    """Every request, and every id that only events or tasks name, in the order of the ids.

    None stands for one that cannot be read, because somebody wrote nonsense into it.
    """
    after = ""
    while True:
        ids = session.scalars(_ids_after(after)).all()
        if not ids:
            return
        try:
            found: dict[str, Whole | None] = dict(_between(session, ids[0], ids[-1]))
        except subjects.ODD:
            found = {request_id: _readable(session, request_id) for request_id in ids}
        yield from found.items()
        after = ids[-1]


def _readable(session: Session, request_id: str) -> Whole | None:
    try:
        return whole(session, request_id)
    except subjects.ODD:
        return None


def _ids_after(after: str) -> sa.Select[str]:
    parts = (
        sa.select(column.label("id")).where(column > after).distinct().order_by(column)
        .limit(AT_ONCE).subquery().select()
        for column in (REQUESTS.c.id, EVENTS.c.request_id, TASKS.c.request_id)
    )  # fmt: skip
    every = sa.union(*parts).subquery()
    return sa.select(every.c.id).order_by(every.c.id).limit(AT_ONCE)


def _range(column: sa.ColumnElement[str], first: str, last: str) -> sa.ColumnElement[bool]:
    return sa.and_(column >= first, column <= last)


def _between(session: Session, first: str, last: str) -> Iterator[tuple[str, Whole]]:
    rows = sa.select(REQUESTS).where(_range(REQUESTS.c.id, first, last))
    few = rows.execution_options(yield_per=5)  # payloads may be large
    asked = _grouped(session, subjects.OF_APPROVERS, APPROVERS.c.id, first, last, subjects.approver)
    found = {row.id: subjects.subject(row, asked.get(row.id, ())) for row in session.execute(few)}
    votes = _votes(session, first, last)

    def task(row: Row) -> SubjectTask:
        return subjects.task(row, votes.get(row.id, ()))

    tasks = _grouped(session, subjects.OF_TASKS, TASKS.c.id, first, last, task)
    events = _grouped(session, sa.select(EVENTS), EVENTS.c.position, first, last, subjects.event)
    for request_id in sorted({*found, *tasks, *events}):
        yield (
            request_id,
            (found.get(request_id), tasks.get(request_id, []), events.get(request_id, [])),
        )


def _votes(session: Session, first: str, last: str) -> dict[int, list[SubjectVote]]:
    rows = session.execute(subjects.OF_VOTES.where(_range(TASKS.c.request_id, first, last)))
    votes: dict[int, list[SubjectVote]] = {}
    for row in rows:
        votes.setdefault(row.task_id, []).append(subjects.vote(row))
    return votes


def _grouped(
    session: Session, query: Any, order: Any, first: str, last: str, value: Any
) -> dict[str, list[Any]]:
    column = order.table.c.request_id
    rows = session.execute(query.where(_range(column, first, last)).order_by(column, order))
    by_request = groupby(rows, lambda row: str(row.request_id))
    return {request_id: [value(row) for row in group] for request_id, group in by_request}


def stream(
    session: Session, since: datetime | None = None, until: datetime | None = None
) -> Generator[Event, None, None]:
    """All events in the order in which they were added, or those from `since` to before `until`."""
    query = sa.select(EVENTS).order_by(EVENTS.c.id)
    if since:
        query = query.where(EVENTS.c.at >= since)
    if until:
        query = query.where(EVENTS.c.at < until)
    with session.execute(query.execution_options(yield_per=AT_ONCE)) as rows:
        yield from map(subjects.event, rows)


def hashes(session: Session) -> Iterator[tuple[int, bytes]]:
    """The id and hash of every event, in the order in which they were added."""
    query = sa.select(EVENTS.c.id, EVENTS.c.hash).order_by(EVENTS.c.id)
    with session.execute(query.execution_options(yield_per=AT_ONCE)) as rows:
        yield from ((row.id, row.hash) for row in rows)


def last_id(session: Session) -> int:
    """The highest id of all events, 0 if there are none."""
    last: int = session.execute(_last).scalar_one()
    return last


def writers(session: Session) -> set[str]:
    """Transactions of others that may add events with ids lower than those that can be seen."""
    if session.dialect == "sqlite":  # which has one writer
        return set()
    return set(session.scalars(_writers))


def ids_given_out(session: Session) -> int | None:
    """How many ids the events were ever given; None where the database may leave some out."""
    if session.dialect != "sqlite":
        return None
    return counters.given_out(session, EVENTS.name)

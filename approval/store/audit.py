"""Read the audit trail back: request by request, or as one stream in the order of time.

Everything here needs little memory, however long the trail is.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from approval.audit import Event, Subject, SubjectTask, testimony
from approval.store import counters
from approval.store.tables import EVENTS, REQUESTS, TASKS

AT_ONCE = 200  # requests, or events in a stream
_last = sa.select(sa.func.coalesce(sa.func.max(EVENTS.c.id), 0))
# Whoever adds events holds this lock from before an id is given out until the event can be seen.
_writers = sa.text(
    "SELECT virtualtransaction FROM pg_locks WHERE relation = 'events'::regclass "
    "AND mode = 'RowExclusiveLock' "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)

MADE = ("what", "described")  # of the columns that hold JSON
JSON = ("held", "machine", "previous")  # whose text counts, not what is made of it
_OF_TASKS = sa.select(
    *(TASKS.c[name] for name in SubjectTask.__dataclass_fields__ if name not in MADE),
    *(sa.type_coerce(TASKS.c[name], sa.JSON).label(name) for name in JSON),
)
# What reading raises if a column holds what the gate never wrote.
ODD = (ValueError, TypeError, AttributeError, LookupError)

Whole = tuple[Subject | None, list[SubjectTask], list[Event]]


def whole(session: orm.Session, request_id: str) -> Whole:
    """One request with its tasks and events; without request if there is none."""
    found = dict(_between(session, request_id, request_id))
    return found.get(request_id, (None, [], []))


def all_requests(session: orm.Session) -> Iterator[tuple[str, Whole | None]]:
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
        except ODD:
            found = {request_id: _readable(session, request_id) for request_id in ids}
        yield from found.items()
        after = ids[-1]


def _readable(session: orm.Session, request_id: str) -> Whole | None:
    try:
        return whole(session, request_id)
    except ODD:
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


def _between(session: orm.Session, first: str, last: str) -> Iterator[tuple[str, Whole]]:
    rows = sa.select(REQUESTS).where(_range(REQUESTS.c.id, first, last))
    few = rows.execution_options(yield_per=5)  # payloads may be large
    subjects = {row.id: _subject(row) for row in session.execute(few)}
    tasks = _grouped(session, _OF_TASKS, TASKS.c.id, first, last, _task)
    events = _grouped(session, sa.select(EVENTS), EVENTS.c.position, first, last, _event)
    for request_id in sorted({*subjects, *tasks, *events}):
        yield (
            request_id,
            (subjects.get(request_id), tasks.get(request_id, []), events.get(request_id, [])),
        )


def _grouped(
    session: orm.Session, query: Any, order: Any, first: str, last: str, value: Any
) -> dict[str, list[Any]]:
    column = order.table.c.request_id
    rows = session.execute(query.where(_range(column, first, last)).order_by(column, order))
    by_request = groupby(rows, lambda row: str(row.request_id))
    return {request_id: [value(row) for row in group] for request_id, group in by_request}


def stream(
    session: orm.Session, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Event]:
    """All events in the order in which they were added, or those from `since` to before `until`."""
    query = sa.select(EVENTS).order_by(EVENTS.c.id)
    if since:
        query = query.where(EVENTS.c.at >= since)
    if until:
        query = query.where(EVENTS.c.at < until)
    with session.execute(query.execution_options(yield_per=AT_ONCE)) as rows:
        yield from map(_event, rows)


def hashes(session: orm.Session) -> Iterator[tuple[int, bytes]]:
    """The id and hash of every event, in the order in which they were added."""
    query = sa.select(EVENTS.c.id, EVENTS.c.hash).order_by(EVENTS.c.id)
    with session.execute(query.execution_options(yield_per=AT_ONCE)) as rows:
        yield from ((row.id, row.hash) for row in rows)


def last_id(session: orm.Session) -> int:
    """The highest id of all events, 0 if there are none."""
    last: int = session.execute(_last).scalar_one()
    return last


def writers(session: orm.Session) -> set[str]:
    """Transactions of others that may add events with ids lower than those that can be seen."""
    if session.get_bind().dialect.name == "sqlite":  # which has one writer
        return set()
    return set(session.scalars(_writers))


def ids_given_out(session: orm.Session) -> int | None:
    """How many ids the events were ever given; None where the database may leave some out."""
    if session.get_bind().dialect.name != "sqlite":
        return None
    return counters.given_out(session, EVENTS.name)


def _fields(row: Any, kind: type, *, but: Collection[str] = ()) -> dict[str, Any]:
    names: Any = kind.__dataclass_fields__  # type: ignore[attr-defined] # all are dataclasses
    return {name: getattr(row, name) for name in names if name not in but}


def _subject(row: sa.Row[Any]) -> Subject:
    return Subject(
        **_fields(row, Subject, but=("payload",)), payload=testimony.payload_is(row.payload)
    )


def _task(row: sa.Row[Any]) -> SubjectTask:
    made: dict[str, Any] = {
        "what": testimony.task_is(row.id, row.held, row.machine, row.previous),
        "described": row.machine is not None or row.previous is not None,
    }
    return SubjectTask(**_fields(row, SubjectTask, but=MADE), **made)


def _event(row: sa.Row[Any]) -> Event:
    for value, kind in (
        (row.position, int),
        (row.kind, str),
        (row.text, str | None),
        (row.salt, bytes | None),
        (row.digest, bytes),
        (row.hash, bytes),
    ):
        if not isinstance(value, kind):  # SQLite keeps anything in any column
            raise ValueError(f"{value!r} in event {row.id}")
    return Event(**_fields(row, Event))

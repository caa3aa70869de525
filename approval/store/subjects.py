"""Rows as an inspection compares them. Raises one of ODD for what the gate never wrote."""

from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa

from approval.audit import Event, Subject, SubjectApprover, SubjectTask, SubjectVote, testimony
from approval.store.session import Row
from approval.store.statements import INSTEAD, NUL
from approval.store.tables import APPROVERS, TASKS, VOTES

MADE = ("what", "described", "votes")  # of the columns that hold JSON, and of other rows
JSON = ("held", "machine", "previous")  # whose text counts, not what is made of it
OF_TASKS = sa.select(
    *(TASKS.c[name] for name in SubjectTask.__dataclass_fields__ if name not in MADE),
    *(sa.type_coerce(TASKS.c[name], sa.JSON).label(name) for name in JSON),
)
OF_APPROVERS = sa.select(
    APPROVERS.c.request_id, *(APPROVERS.c[name] for name in SubjectApprover.__dataclass_fields__)
)
OF_VOTES = sa.select(
    TASKS.c.request_id, *(VOTES.c[name] for name in SubjectVote.__dataclass_fields__)
).join(TASKS, TASKS.c.id == VOTES.c.task_id)

# What reading raises if a column holds what the gate never wrote.
ODD = (ValueError, TypeError, AttributeError, LookupError)


def _fields(row: Any, kind: type, *, but: Collection[str] = ()) -> dict[str, Any]:
    names: Any = kind.__dataclass_fields__  # type: ignore[attr-defined] # all are dataclasses
    return {name: getattr(row, name) for name in names if name not in but}


def _said(row: Any, *names: str) -> dict[str, Any]:
    """Words as the trail has them."""
    words = {name: getattr(row, name) for name in names}
    return {
        name: word.replace(NUL, INSTEAD) if isinstance(word, str) else word
        for name, word in words.items()
    }


def subject(row: Row, asked: Iterable[SubjectApprover]) -> Subject:
    """A request, with those who were asked."""
    return Subject(
        **_fields(row, Subject, but=("payload", "asked")),
        payload=testimony.payload_is(row.payload),
        asked=tuple(asked),
    )


def approver(row: Row) -> SubjectApprover:
    """Somebody who was asked."""
    if not isinstance(row.name, str) or not isinstance(row.address, str):
        raise ValueError(f"no name or address in approver {row.id}")
    return SubjectApprover(**_fields(row, SubjectApprover) | _said(row, "name", "address"))


def vote(row: Row) -> SubjectVote:
    """A vote."""
    return SubjectVote(**_fields(row, SubjectVote) | _said(row, "comment"))


def task(row: Row, votes: Iterable[SubjectVote]) -> SubjectTask:
    """A task, with its votes."""
    made: dict[str, Any] = _said(row, "decided_by", "reason") | {
        "what": testimony.task_is(row.id, row.held, row.machine, row.previous),
        "described": row.machine is not None or row.previous is not None,
        "votes": tuple(votes),
    }
    return SubjectTask(**_fields(row, SubjectTask, but=MADE) | made)


def event(row: Row) -> Event:
    """An event."""
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

"""Check the chain of one request, joint by joint, and say which field does not fit."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from approval.audit import chain
from approval.audit.chain import Event
from approval.audit.fault import Fault
from approval.audit.subject import Subject, SubjectTask
from approval.audit.testimony import (
    ASKED,
    CHAINED,
    DELIVERED,
    DOUBTED,
    OVERTAKEN,
    PURGED,
    RECEIVED,
    VERIFIED,
)

# Tried in turn, to say what the kind of a changed event was.
KINDS = (
    RECEIVED, VERIFIED, ASKED, "mailed", "not mailed", "accepted", "declined", "withdrawn",
    DELIVERED, OVERTAKEN, DOUBTED, "told", "not told", "failed", "parked", "redelivered",
    "link renewed", "reminded", PURGED, CHAINED,
)  # fmt: skip


def broken_joints(
    request: Subject, tasks: Sequence[SubjectTask], events: Sequence[Event]
) -> Iterator[Fault]:
    """Events that were changed, removed, inserted or moved."""
    previous: bytes | None = chain.origin(request.id, request.platform, request.received_at)
    expected = 1
    purged = max((event.position for event in events if event.kind == PURGED), default=0)
    for number, event in enumerate(events):
        if event.position != expected:
            yield _gap(event, expected)
            previous = None
        following = events[number + 1] if number + 1 < len(events) else None
        if what := _text_fault(event, purged=event.position < purged):
            yield Fault(request.id, event.position, what)
        if previous is not None and _hash(previous, event) != event.hash:
            what = _why(request, tasks, previous, event, following)
            yield Fault(request.id, event.position, what)
        previous, expected = event.hash, max(event.position, 0) + 1
    if request.events != expected - 1:
        yield _end(request, expected)


def _gap(event: Event, expected: int) -> Fault:
    if event.position < expected:
        return Fault(event.request_id, event.position, "this event was inserted or moved")
    last = event.position - 1
    which = f"{expected}" if last == expected else f"{expected} to {last}"
    return Fault(event.request_id, expected, f"missing: {which} removed or moved")


def _end(request: Subject, expected: int) -> Fault:
    if request.events >= expected:
        what = f"missing: {request.events} events were counted, {expected - 1} are here"
    else:
        what = f"one event too many, or the count was changed: {request.events} were counted"
    return Fault(request.id, expected if request.events >= expected else None, what)


def _text_fault(event: Event, *, purged: bool) -> str | None:
    if purged:
        kept = (event.text, event.salt) != (None, None)
        return "a text was written where it had been purged" if kept else None
    if event.text is None or event.salt is None:
        return "the text or its salt was removed"
    if chain.digest_of(event.salt, event.text) != event.digest:
        return "the text, its salt or its digest was changed"
    return None


def _hash(previous: bytes, event: Event) -> bytes:
    return chain.link(
        previous, event.request_id, event.position, event.at, event.kind, event.task_id,
        event.digest,
    )  # fmt: skip


def _why(
    request: Subject,
    tasks: Sequence[SubjectTask],
    previous: bytes,
    event: Event,
    following: Event | None,
) -> str:
    """Which field was changed, if trying tells."""
    right = _hash(previous, event)
    adjoins = following is not None and following.position == event.position + 1
    if following and adjoins and _hash(right, following) == following.hash:
        return "the hash was changed"
    for kind in KINDS:
        if _hash(previous, replace(event, kind=kind)) == event.hash:
            return f"the kind was changed; it was {kind!r}"
    for task_id in (None, *(task.id for task in tasks)):
        if _hash(previous, replace(event, task_id=task_id)) == event.hash:
            return f"the task was changed; it was {task_id or 'none'}"
    if event.text is not None and event.salt is not None:
        digest = chain.digest_of(event.salt, event.text)
        if _hash(previous, replace(event, digest=digest)) == event.hash:
            return "the digest was changed"
    if event.position == 1:
        return _why_first(request, event, previous)
    return "the time, another field or what comes before was changed"


def _why_first(request: Subject, event: Event, previous: bytes) -> str:
    """The first event follows the request's own row, and is of the same time."""
    if _hash(previous, replace(event, at=request.received_at)) == event.hash:
        return "the time was changed"
    origin = chain.origin(request.id, request.platform, event.at)
    if _hash(origin, event) == event.hash:
        return "received_at of the request was changed"
    return "the platform of the request, or a field of the event, was changed"

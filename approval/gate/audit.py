"""Audit: inspect every trail, and compare the whole with what was kept elsewhere."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from approval.audit import Event, Fault, chain, inspect
from approval.store import audit, counters
from approval.store.database import Database
from approval.store.session import Session


@dataclass(frozen=True)
class Head:
    """The trail of all requests in short: of its first `events` events this is the hash.

    It keeps its worth while the trail grows: the same events give the same head for ever.
    """

    events: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.events}:{self.hash.hex()}"


def faults(session: Session) -> Iterator[Fault]:
    """Everything that is wrong within the store."""
    for request_id, found in audit.all_requests(session):
        if found is None:
            yield Fault(request_id, None, "cannot be read: somebody wrote nonsense into it")
            continue
        request, tasks, events = found
        if request is None:
            yield Fault(request_id, None, f"the request is missing, {len(events)} events are here")
        else:
            yield from inspect(request, tasks, events)


def gaps(session: Session) -> Iterator[str]:
    """Events of which nothing is left but their numbers; not known on every database."""
    given_out = audit.ids_given_out(session)
    if given_out is None:
        return
    before = counters.left_out(session)
    for id, _ in audit.hashes(session):
        if id > before + 1:
            yield _gap(before + 1, id - 1)
        before = max(before, id)
    if given_out > before:
        yield _gap(before + 1, given_out)
    if given_out < before:
        yield f"the count of all events was changed: {given_out}, but there is number {before}"


def _gap(first: int, last: int) -> str:
    which = f"number {first}" if first == last else f"numbers {first} to {last}"
    return f"events removed: {which} of the whole trail"


def complete_up_to(database: Database, pause: Callable[[], None]) -> int:
    """The id up to which no event can be added any more; waits for who is just adding one.

    PostgreSQL gives out ids before it commits, so a lower one may show up later.
    """
    with database.read() as session:
        last, writers = audit.last_id(session), audit.writers(session)
    while writers:
        pause()
        with database.read() as session:
            writers &= audit.writers(session)
    return last


def head(session: Session, events: int | None = None, last: int | None = None) -> Head:
    """The head of the trail, or of its first so many events, or of those up to the id `last`."""
    value, count = chain.NO_EVENT, 0
    for id, event in audit.hashes(session):
        if count == events or (last is not None and id > last):
            break
        value, count = chain.extend(value, event), count + 1
    return Head(count, value)


def differences(session: Session, kept: Iterable[Event]) -> Iterator[Fault]:
    """How the store differs from events that were exported before, in their order."""
    stored = audit.stream(session)
    here = next(stored, None)
    for event in kept:
        while here is not None and here.id < event.id:
            here = next(stored, None)
        if here is None or here.id != event.id:
            yield Fault(event.request_id, event.position, "it was exported, and is missing here")
            continue
        for field in ("request_id", "position", "at", "kind", "task_id", "digest", "hash"):
            was, now = getattr(event, field), getattr(here, field)
            if was != now:
                yield Fault(event.request_id, event.position, f"{field} differs from the export")
        if here.text is not None and event.text != here.text:
            yield Fault(event.request_id, event.position, "text differs from the export")

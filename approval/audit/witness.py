"""Compare the rows of a request and its tasks with what its trail says of them."""

import re
from collections.abc import Iterator, Sequence

from approval.audit import testimony
from approval.audit.chain import Event
from approval.audit.fault import Fault
from approval.audit.subject import Subject, SubjectApprover, SubjectTask
from approval.model import Action, Delivery, TaskState

ACTIONS = {TaskState.ACCEPTED: Action.ACCEPT, TaskState.DECLINED: Action.DECLINE}
DECISIONS = {TaskState.ACCEPTED, TaskState.DECLINED, TaskState.WITHDRAWN}


def contradictions(
    request: Subject, tasks: Sequence[SubjectTask], events: Sequence[Event]
) -> Iterator[Fault]:
    """Fields that are not as the trail says."""
    fields = [
        *_of_the_purge(request, events),
        *_of_the_payload(request, events),
        *_of_the_finding(request, events),
        *_of_the_asked(request, events),
        *_of_the_end(request, tasks, events),
    ]
    yield from (Fault(request.id, None, f"{field} is not as the trail says") for field in fields)
    for task in tasks:
        for field in _of_a_task(request, task, events):
            yield Fault(request.id, None, f"{field} of task {task.id} is not as the trail says")


def _last(events: Sequence[Event], *kinds: str) -> Event | None:
    return next((event for event in reversed(events) if event.kind in kinds), None)


def _of_the_purge(request: Subject, events: Sequence[Event]) -> Iterator[str]:
    purged = _last(events, testimony.PURGED)
    if request.purged_at != (purged.at if purged else None):
        yield "purged_at"


def _of_the_payload(request: Subject, events: Sequence[Event]) -> Iterator[str]:
    if request.purged_at:
        if request.payload != testimony.payload_is(b""):
            yield "payload"
        return
    vouched = _last(events, testimony.CHAINED) or _last(events, testimony.RECEIVED)
    if request.payload not in _text(vouched):
        yield "payload"


def _of_the_finding(request: Subject, events: Sequence[Event]) -> Iterator[str]:
    vouched = _last(events, testimony.VERIFIED, testimony.CHAINED)
    considered_at = vouched.at if vouched else None
    before_chains = vouched is not None and vouched.kind == testimony.CHAINED
    if request.considered_at != considered_at and not before_chains:
        yield "considered_at"
    nothing = testimony.found(None, ())
    said = nothing if vouched is None or request.purged_at else vouched.text or ""
    now = testimony.found(request.requester, request.missing)
    if not (said == now or said.startswith(f"{now}; task ") or said.endswith(f"; {now}")):
        yield "requester or missing"


def _of_the_asked(request: Subject, events: Sequence[Event]) -> Iterator[str]:
    said = testimony.asked(_text(event) for event in events if event.kind == testimony.ASKED)
    names = [one.name for one in request.asked]
    if request.purged_at:
        as_said = not any((one.name, one.address) != ("", "") for one in request.asked)
    elif _bare(said):
        as_said = said == testimony.asked(names)
    else:
        as_said = said == testimony.asked(map(_person, request.asked))
    if not as_said:
        yield "who was asked"


def _of_the_end(
    request: Subject, tasks: Sequence[SubjectTask], events: Sequence[Event]
) -> Iterator[str]:
    decided = [event.at for event in events if event.kind in DECISIONS]
    open_tasks = [task for task in tasks if task.state is TaskState.PENDING]
    closed_at = max(decided, default=None) if tasks and not open_tasks else None
    if request.closed_at != closed_at:
        yield "closed_at"


def _of_a_task(request: Subject, task: SubjectTask, events: Sequence[Event]) -> Iterator[str]:
    own = [event for event in events if event.task_id == task.id]
    decision = _last(own, *DECISIONS)
    if task.state != (decision.kind if decision else TaskState.PENDING):
        yield "state"
    if task.decided_at != (decision.at if decision else None):
        yield "decided_at"
    if not _fits(request, task):
        yield "the vote"
    if not request.purged_at:
        if decision and decision.text not in _said(request, task):
            yield "decided_by or reason"
        yield from _of_what_it_is(task, events)
    told = _last(own, testimony.DELIVERED, testimony.OVERTAKEN, testimony.DOUBTED)
    delivered = told if told and told.kind == testimony.DELIVERED else None
    if (task.delivery is Delivery.DELIVERED) != (delivered is not None):
        yield "delivery"
    if task.delivered_at != (delivered.at if delivered else None):
        yield "delivered_at"


def _of_what_it_is(task: SubjectTask, events: Sequence[Event]) -> Iterator[str]:
    first = _last(events, testimony.CHAINED) or _last(events, testimony.RECEIVED)
    chained = first is not None and first.kind == testimony.CHAINED
    if not chained and testimony.quoted(task.platform_task_id) not in _text(first):
        yield "platform_task_id"
    begins = f"; {testimony.task_begins(task.id)}"
    told = [_text(event) for event in events if event.kind == testimony.VERIFIED]
    said = next((text for text in reversed(told) if begins in text), None)
    if f"; {task.what}" not in said if said is not None else task.described and not chained:
        yield "what is asked"


def _text(event: Event | None) -> str:
    return (event.text if event else None) or ""


def _said(request: Subject, task: SubjectTask) -> list[str]:
    """What the event of a decision may say.

    Of people it says name and address; older ones say the name alone.
    """
    by, reason = task.decided_by or "", task.reason or ""
    if task.state is TaskState.WITHDRAWN:
        return [reason]
    voted = [vote.approver_id for vote in task.votes]
    voters = [_person(one) for one in request.asked if one.id in voted and one.name == by]
    return [testimony.decided(who, reason) for who in (*voters, *([by] if _bare(by) else []))]


def _fits(request: Subject, task: SubjectTask) -> bool:
    """Whether there is the vote that made the decision, and no other."""
    if task.state not in ACTIONS or task.decided_by == testimony.RULE:
        return not task.votes
    if not task.votes:
        return request.purged_at is not None  # then it may have been a rule
    cast = (ACTIONS[task.state], task.decided_at, task.reason or "")
    if [(vote.action, vote.cast_at, vote.comment) for vote in task.votes] != [cast]:
        return False
    names: dict[int | None, str] = {one.id: one.name for one in request.asked}
    names[None] = testimony.UNSIGNED
    return request.purged_at is not None or names.get(task.votes[0].approver_id) == task.decided_by


def _person(one: SubjectApprover) -> str:
    return testimony.person(one.name, one.address)


def _bare(names: str) -> bool:
    """Whether no address is among them; no name may pass for an old one with an address in it."""
    return not re.search(r" <\S*>", names)

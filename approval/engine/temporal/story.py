"""What Temporal shows of a request: the question, how it stands, what it waits for, what happened.

Names of people and machines as far as the question needs them; no address, no comment, no link.
What an error said stays out too, for it may name somebody.
"""

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256

from approval.engine.temporal.workflow import Story
from approval.model import ApprovalRequest, Approver, Delivery, Task, TaskState
from approval.store import jobs, people, trail
from approval.store.session import Session
from approval.wording import machine_name, outcome, question, tally

PREFIX = "Approval"
PLATFORM, ENTERPRISE, REQUESTER, TYPE, STATE = (
    f"{PREFIX}{name}" for name in ("Platform", "Enterprise", "Requester", "Type", "State")
)
LISTS = (ENTERPRISE, TYPE)  # a request may be about several
TASKS, STEPS = 20, 40  # in the details
LENGTH = 200  # letters of a name
UNTOLD = (Delivery.REFUSED, Delivery.FAILED)
MARKUP = re.compile(r"([\\`*_{}\[\]()<>#|!~&:])")  # of Markdown, which Temporal renders


def story_of(
    session: Session, request: ApprovalRequest, platform: str, *, searchable: bool
) -> Story:
    """The story of a request so far, with search attributes or without."""
    asked = people.approvers(session, request.id)
    steps = trail.steps(session, request.id, STEPS)
    waits_for = _waits_for(request, asked, parked=jobs.parked(session, request.id))
    details = "\n".join(_details(request, waits_for, steps))
    attributes = _attributes(request, platform) if searchable else {}
    told = repr((details, waits_for, attributes))
    version = sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return Story(version, _state(request), waits_for, details, attributes)


def _state(request: ApprovalRequest) -> str:
    """The state of all tasks in one word."""
    if request.pending:
        return TaskState.PENDING
    if any(task.delivery in UNTOLD for task in request.tasks):
        return "undelivered"
    states = {task.state for task in request.tasks}
    return states.pop() if len(states) == 1 else "mixed"


def _waits_for(request: ApprovalRequest, asked: Sequence[Approver], parked: int) -> str:
    """Who or what has to act next."""
    if request.pending:
        can_decide = sum(approver.can_decide for approver in asked)
        if can_decide:
            return f"a decision by {'one of ' if can_decide > 1 else ''}{_people(can_decide)}"
        return "the operator: nobody's links decide" if asked else "the platform to be asked"
    if any(task.delivery is Delivery.WAITING for task in request.tasks):
        return "the platform to be told"
    return f"the operator: {parked} set aside" if parked else ""


def _people(count: int) -> str:
    return f"{count} approver{'' if count == 1 else 's'}"


def _attributes(request: ApprovalRequest, platform: str) -> dict[str, str | list[str]]:
    machines = [task.machine for task in request.tasks if task.machine]
    enterprises = {machine.place.enterprise for machine in machines if machine.place.enterprise}
    found: dict[str, str | list[str]] = {
        PLATFORM: platform,
        ENTERPRISE: sorted(name[:LENGTH] for name in enterprises),
        REQUESTER: (request.requester.name if request.requester else "")[:LENGTH],
        TYPE: sorted({task.held.type[:LENGTH] for task in request.tasks}),
        STATE: _state(request),
    }
    return {name: value for name, value in found.items() if value}


def _details(
    request: ApprovalRequest, waits_for: str, steps: Sequence[trail.Step]
) -> Iterator[str]:
    """The story as Markdown."""
    yield f"**{_plain(question(request))}**\n"
    yield f"{tally(request.tasks)}." + (f" Waits for {waits_for}." if waits_for else "")
    yield "\n| machine | to be done | state | platform |\n|---|---|---|---|"
    yield from map(_row, request.tasks[:TASKS])
    if more := len(request.tasks[TASKS:]):
        yield f"| and {more} more | | | |"
    names = {task.id: _plain(machine_name(task)) for task in request.tasks}
    yield ""
    for step in steps:
        about = f" {names[step.task_id]}" if step.task_id in names else ""
        yield f"- {step.at:%d %B %Y %H:%M:%S} UTC: {step.kind}{about}"


def _row(task: Task) -> str:
    told = task.delivery.value if task.delivery else ""
    return f"| {_plain(machine_name(task))} | {_plain(task.held.type)} | {outcome(task)} | {told} |"


def _plain(text: str) -> str:
    """A text that others wrote, without meaning for Markdown, in one line."""
    line = " ".join(text.split())[:LENGTH]
    return MARKUP.sub(r"\\\1", line)

"""What became of tasks, and whether the platform knows."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from approval.model import Decision, Delivery, PlatformState, Task, TaskState

OUTCOMES = {
    TaskState.PENDING: "Waiting for a decision",
    TaskState.ACCEPTED: "Accepted",
    TaskState.DECLINED: "Declined",
    TaskState.WITHDRAWN: "Withdrawn",
}
# Why a task is withdrawn, and what people call that. Stores keep these texts: they may not change.
ENDED = {
    PlatformState.CONTINUED: "it was continued on the platform",
    PlatformState.CANCELLED: "it was cancelled on the platform",
    PlatformState.GONE: "the platform does not know it",
}
ELSEWHERE = {
    ENDED[PlatformState.CONTINUED]: OUTCOMES[TaskState.ACCEPTED],
    ENDED[PlatformState.CANCELLED]: OUTCOMES[TaskState.DECLINED],
}
WAITS = "It waits for the operator of this service."  # whom mails may or may not reach
UNHEEDED = {Delivery.OVERTAKEN: "overtaken", Delivery.REFUSED: "refused"}


def outcome(task: Task) -> str:
    """What became of a task, as a chip says it.

    "Accepted", "Accepted but overtaken", "Accepted in Abiquo" for what went on there by itself
    """
    if task.delivery in UNHEEDED:
        return f"{OUTCOMES[task.state]} but {UNHEEDED[task.delivery]}"
    if task.state is TaskState.WITHDRAWN and task.decision and task.decision.reason in ELSEWHERE:
        return f"{ELSEWHERE[task.decision.reason]} in {task.decision.by}"
    return OUTCOMES[task.state]


def told(task: Task, platform: str) -> str:
    """Whether the platform has been told, truthfully, as a sentence; empty if it needs not."""
    match task.delivery:
        case Delivery.WAITING:
            return f"The decision is recorded and is being sent to {platform}."
        case Delivery.DELIVERED:
            return f"{platform} has been told."
        case Delivery.OVERTAKEN:
            return f"But it had already ended in {platform}: {task.delivery_note}."
        case Delivery.REFUSED:
            return f"{platform} refused it: {task.delivery_note}. {WAITS}"
        case Delivery.FAILED:
            return f"{platform} could not be told yet. {WAITS}"
        case None:
            return ""


def _stands(task: Task) -> TaskState:
    """The state of a task after all: a decision that the platform did not follow is none."""
    return TaskState.WITHDRAWN if task.delivery in UNHEEDED else task.state


@dataclass(frozen=True)
class Group:
    """Tasks of which the same can be said: what was decided, by whom, what the platform knows.

    `stands` is the state they are in after all: withdrawn if the platform did not follow.
    """

    tasks: tuple[Task, ...]
    decision: Decision | None
    outcome: str
    told: str
    stands: TaskState


def alike(tasks: Iterable[Task], platform: str) -> list[Group]:
    """The tasks in groups that share one truth, so that a batch is told in few true sentences."""
    groups: dict[tuple[Decision | None, str, str, TaskState], list[Task]] = {}
    for task in tasks:
        truth = (task.decision, outcome(task), told(task, platform), _stands(task))
        groups.setdefault(truth, []).append(task)
    return [Group(tuple(members), *truth) for truth, members in groups.items()]


def standings(tasks: Iterable[Task]) -> dict[tuple[TaskState, str], int]:
    """How many tasks stand how, in few words, the ones that wait last."""
    counts = Counter(
        (_stands(task), "waiting" if task.state is TaskState.PENDING else _uncapped(outcome(task)))
        for task in tasks
    )
    return dict(sorted(counts.items(), key=lambda item: item[0][0] is TaskState.PENDING))


def _uncapped(words: str) -> str:
    return words[0].lower() + words[1:]


def tally(tasks: Iterable[Task]) -> str:
    """How the tasks stand together: "Accepted", or "2 accepted, 1 waiting"."""
    found = standings(tasks)
    if len(found) == 1:
        [(_, words)] = found
        return words[0].upper() + words[1:]
    return ", ".join(f"{count} {words}" for (_, words), count in found.items())

"""What people read about a request, in pages and mails alike: pure text from values."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import humanize

from approval.model import (
    ApprovalRequest,
    Decision,
    Delivery,
    Disk,
    Machine,
    Person,
    Place,
    Task,
    TaskState,
)

__all__ = [
    "alike",
    "and_more",
    "before_known",
    "brief",
    "changes",
    "common_place",
    "disk_name",
    "disks_line",
    "errand",
    "facts",
    "machine_name",
    "outcome",
    "person_name",
    "place_names",
    "place_path",
    "question",
    "shared_place",
    "size",
    "standings",
    "summary",
    "tally",
    "told",
    "totals",
    "verb",
    "verbs",
]

VERBS = {"DEPLOY": "deploy", "UNDEPLOY": "undeploy", "RECONFIGURE": "reconfigure"}


def verb(task_type: str) -> str:
    """The verb of a task type: "deploy"; for types of newer platforms their own word."""
    return VERBS.get(task_type, task_type.lower().replace("_", " "))


def machine_name(task: Task) -> str:
    """What people call the machine of a task: its label, else its name, else its task."""
    machine = task.machine
    name = (machine.label or machine.name) if machine else None
    return name or f"the machine of task {task.held.id}"


def person_name(person: Person | None) -> str:
    """The person's full name."""
    return person.name if person else "Somebody"


def and_more(count: int) -> str:
    """What follows the names that are given: " and 2 more machines"; empty if there are none."""
    return f" and {count} more machine{'' if count == 1 else 's'}" if count > 0 else ""


def verbs(tasks: Iterable[Task]) -> str:
    """All that is to be done, each once: "deploy", "deploy and undeploy"."""
    *others, last = dict.fromkeys(verb(task.held.type) for task in tasks)
    return f"{', '.join(others)} and {last}" if others else last


@dataclass(frozen=True)
class Piece:
    """A part of a sentence; a name is somebody else's word, and is shown apart from ours."""

    text: str
    is_name: bool = False


def errand(tasks: Sequence[Task]) -> list[Piece]:
    """What is to be done, each kind with its own machines, in pieces; see `summary`."""
    kinds: dict[str, list[Task]] = {}
    for task in tasks:
        kinds.setdefault(verb(task.held.type), []).append(task)
    *before, last = ([Piece(f"{kind} "), *_names(of_kind)] for kind, of_kind in kinds.items())
    comma = "," if len(before) > 1 or len(kinds) < len(tasks) else ""  # which "and" is which
    pieces = [
        piece for number, part in enumerate(before) for piece in (Piece(", " * (number > 0)), *part)
    ]
    return [*pieces, Piece(f"{comma} and "), *last] if before else last


def _names(tasks: Sequence[Task]) -> Iterator[Piece]:
    yield Piece(machine_name(tasks[0]), is_name=True)
    if len(tasks) == 2:
        yield Piece(" and ")
        yield Piece(machine_name(tasks[1]), is_name=True)
    else:
        yield Piece(and_more(len(tasks) - 1))


def summary(tasks: Sequence[Task]) -> str:
    """What is to be done, for a subject.

    "deploy web-01", "deploy web-01 and 2 more machines", "undeploy web-01 and deploy db-01"
    """
    return "".join(piece.text for piece in errand(tasks))


def place_names(place: Place) -> list[str]:
    """The names on the way to the place, as far as they are known, the widest first."""
    datacenter = place.datacenter
    if datacenter and place.location:
        datacenter = f"{datacenter} (in {place.location})"
    return [name for name in (place.enterprise, datacenter, place.appliance) if name]


def place_path(place: Place) -> str:
    """The place as a path: "Acme > Production (in Madrid) > Shop"; empty if unknown."""
    return " > ".join(place_names(place))


def shared_place(request: ApprovalRequest) -> Place:
    """The place that all machines of the request share; an unknown one if they share none."""
    places = {task.machine.place for task in request.tasks if task.machine}
    return places.pop() if len(places) == 1 else Place()


def common_place(request: ApprovalRequest) -> str:
    """The path to the place that all machines share; empty if they do not share one."""
    return place_path(shared_place(request))


def question(request: ApprovalRequest, tasks: Sequence[Task] | None = None) -> str:
    """What is asked, in one sentence without full stop; of some tasks only if they are given.

    "Ana User wants to deploy web-01 and 2 more machines in Acme > Production > Shop"
    """
    sentence = f"{person_name(request.requester)} wants to {summary(tasks or request.tasks)}"
    place = common_place(request)
    return f"{sentence} in {place}" if place else sentence


def size(megabytes: int) -> str:
    """A size as people say it: "512 MiB", "4 GiB", "1.5 TiB". The platform counts in 1024s."""
    return humanize.naturalsize(megabytes * 2**20, binary=True, format="%.4g")


def disk_name(disk: Disk) -> str:
    """What a disk is: "System disk", "Volume data", "Disk"."""
    kind = "volume" if disk.volume else "disk"
    words = ["System" if disk.system else "", kind if disk.system else kind.capitalize()]
    return " ".join(filter(None, [*words, disk.name]))


def disks_line(machine: Machine) -> str:
    """All disks in one line: "System disk 10 GiB, Volume data 120 GiB"."""
    return ", ".join(f"{disk_name(disk)} {size(disk.size_mb)}" for disk in machine.disks)


@dataclass(frozen=True)
class Fact:
    """One line about a machine; `before` is set where a reconfiguration changes it."""

    name: str
    value: str
    before: str | None = None


def _values(machine: Machine) -> dict[str, str]:
    """The facts that a reconfiguration can change, in the order in which people ask."""
    return {
        "Label": machine.label or "",
        "CPU": "" if machine.cpu is None else str(machine.cpu),
        "Memory": "" if machine.memory_mb is None else size(machine.memory_mb),
        "Disks": disks_line(machine),
        "Network": ", ".join(machine.addresses),
        "Template": machine.template or "",
        "Description": machine.description or "",
    }


def before_known(task: Task) -> bool:
    """Whether the task changes a machine of which the gate knows what it was like before."""
    return task.held.type == "RECONFIGURE" and task.previous is not None


def facts(task: Task) -> list[Fact]:
    """The facts of the task's machine that are known, changed ones with their value before."""
    if task.machine is None:
        return []
    values = _values(task.machine)
    before = _values(task.previous.machine) if task.previous and before_known(task) else values
    known = [
        Fact(name, value or "none", None if before[name] == value else before[name] or "none")
        for name, value in values.items()
        if (value or before[name]) and not (name == "Label" and before[name] == value)
    ]
    if task.machine.name and task.machine.name != machine_name(task):
        known.append(Fact("Name", task.machine.name))
    return known


def changes(task: Task) -> list[Fact]:
    """What a reconfiguration changes against what the gate last knew."""
    return [fact for fact in facts(task) if fact.before is not None]


BRIEF = {"CPU": "{} CPU", "Memory": "{} memory"}


def brief(fact: Fact) -> str:
    """A fact that speaks for itself: "2 CPU", "4 GiB memory", "CPU 2 → 4"."""
    if fact.before is not None:
        return f"{fact.name} {fact.before} → {fact.value}"
    return BRIEF.get(fact.name, "{}").format(fact.value)


def totals(tasks: Sequence[Task]) -> str:
    """What several machines take together: "6 CPU, 12 GiB memory, 390 GiB disk".

    Empty unless all are to be deployed and the platform said how big each is.
    """
    machines = [task.machine for task in tasks if task.machine and task.held.type == "DEPLOY"]
    cpus = [machine.cpu for machine in machines if machine.cpu is not None]
    memory = [machine.memory_mb for machine in machines if machine.memory_mb is not None]
    disks = [sum(disk.size_mb for disk in machine.disks) for machine in machines if machine.disks]
    if not 1 < len(tasks) == len(cpus) == len(memory) == len(disks):
        return ""
    return f"{sum(cpus)} CPU, {size(sum(memory))} memory, {size(sum(disks))} disk"


OUTCOMES = {
    TaskState.PENDING: "Waiting for a decision",
    TaskState.ACCEPTED: "Accepted",
    TaskState.DECLINED: "Declined",
    TaskState.WITHDRAWN: "Withdrawn",
}


UNHEEDED = {Delivery.OVERTAKEN: "overtaken", Delivery.REFUSED: "refused"}


def outcome(task: Task) -> str:
    """The state of a task as a chip says it: "Accepted", "Accepted but overtaken"."""
    if task.delivery in UNHEEDED:
        return f"{OUTCOMES[task.state]} but {UNHEEDED[task.delivery]}"
    return OUTCOMES[task.state]


def told(task: Task, platform: str) -> str:
    """Whether the platform has been told, truthfully, as a sentence; empty if it needs not."""
    match task.delivery:
        case Delivery.WAITING:
            return f"The decision is recorded and is being sent to {platform}."
        case Delivery.DELIVERED:
            return f"{platform} has been told."
        case Delivery.OVERTAKEN:
            return f"But {platform} had already gone the other way: {task.delivery_note}."
        case Delivery.REFUSED:
            return f"{platform} refused it: {task.delivery_note}. The operator has been told."
        case Delivery.FAILED:
            return f"{platform} could not be told yet. The operator has been asked to see to it."
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
        (_stands(task), "waiting" if task.state is TaskState.PENDING else outcome(task).lower())
        for task in tasks
    )
    return dict(sorted(counts.items(), key=lambda item: item[0][0] is TaskState.PENDING))


def tally(tasks: Iterable[Task]) -> str:
    """How the tasks stand together: "Accepted", or "2 accepted, 1 waiting"."""
    found = standings(tasks)
    if len(found) == 1:
        [(_, words)] = found
        return words.capitalize()
    return ", ".join(f"{count} {words}" for (_, words), count in found.items())

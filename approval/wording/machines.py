"""What a machine is like, and what a task changes about it."""

from collections.abc import Sequence
from dataclasses import dataclass

import humanize

from approval.model import Disk, Machine, Task
from approval.wording.names import machine_name


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

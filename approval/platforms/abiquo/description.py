"""What held tasks are about, as far as it can be had."""

from collections.abc import Iterable, Sequence

from approval.model import Description, HeldTask, Person
from approval.platforms.abiquo import machines, users
from approval.platforms.abiquo.gathered import Gathered
from approval.platforms.abiquo.reader import Reader

REQUESTER = "who asked for it"


def describe(tasks: Sequence[HeldTask], reader: Reader, root: str) -> Description:
    """Read everything in two rounds: what the tasks name, and what that left open."""
    targets = list(dict.fromkeys(task.links["target"] for task in tasks))
    requester = next((task.links["user"] for task in tasks), None)
    gathered = Gathered(reader.get_all(_first(targets, requester)))
    gathered.add(reader.get_all(_further(targets, requester, gathered, root)))
    person = _person(requester, gathered, root) if requester else None
    described = {path: machines.describe(path, gathered, root) for path in targets}
    found = {task.id: described[task.links["target"]] for task in tasks}
    return Description(
        requester=person,
        machines={task_id: machine for task_id, machine in found.items() if machine},
        missing=gathered.missing,
        transient=gathered.transient,
    )


def _first(targets: Iterable[str], requester: str | None) -> dict[str, str]:
    wanted = {requester: "user"} if requester else {}
    for path in targets:
        wanted |= machines.first_reads(path)
    return wanted


def _further(
    targets: Iterable[str], requester: str | None, gathered: Gathered, root: str
) -> dict[str, str]:
    wanted: dict[str, str] = {}
    for path in targets:
        if machine := gathered.peek(path):
            wanted |= machines.further_reads(path, machine, root)
    if requester and (user := gathered.peek(requester)) and (role := users.role_path(user, root)):
        wanted[role] = "role"
    return {path: entity for path, entity in wanted.items() if path not in gathered}


def _person(path: str, gathered: Gathered, root: str) -> Person | None:
    user = gathered.take(path, REQUESTER)
    if user is None:
        return None
    role = gathered.take(users.role_path(user, root) or "", "role of the requester")
    return users.person(user, path, role.text("name") if role else users.role_of(user))

"""Operations on machines, and the workflow that holds them until somebody decides."""

from collections.abc import Callable, Iterable
from typing import Any, Literal
from uuid import uuid4

from approval.demo.cloud import refusal
from approval.demo.cloud.task import FAILED, HELD, Task, status
from approval.demo.cloud.things import Machine, User
from approval.demo.cloud.world import World

Choice = Literal["continue", "cancel"]
Announce = Callable[[list[Task], bool], None]

DEPLOYABLE = frozenset({"NOT_ALLOCATED"})
DEPLOYED = frozenset({"ON", "OFF", "PAUSED", "CONFIGURED"})
NOUNS = {"continue": "continuation", "cancel": "cancellation"}


class Workflow:
    """`announce` is called with the tasks of one operation, and whether as a collection."""

    def __init__(self, world: World, announce: Announce) -> None:
        self._world = world
        self._announce = announce

    def deploy(self, machine: Machine, user: User) -> list[Task]:
        return self._one("DEPLOY", machine, user, DEPLOYABLE)

    def undeploy(self, machine: Machine, user: User) -> list[Task]:
        return self._one("UNDEPLOY", machine, user, DEPLOYED)

    def deploy_all(self, machines: Iterable[Machine], user: User) -> list[Task]:
        return self._batch("DEPLOY", machines, user, DEPLOYABLE)

    def undeploy_all(self, machines: Iterable[Machine], user: User) -> list[Task]:
        return self._batch("UNDEPLOY", machines, user, DEPLOYED)

    def reconfigure(self, machine: Machine, user: User, **values: Any) -> list[Task]:
        """Change fields of a machine. One that is not deployed changes without any task."""
        with self._world.lock:
            if status(machine, self._world.clock()) in DEPLOYABLE:
                _overwrite(machine, values)
                return []
            self._require(machine, DEPLOYED)
            task = self._begin("RECONFIGURE", machine, user)
            task.before = _overwrite(machine, values)
            return self._hold([task], collection=False)

    def decide(self, task: Task, choice: Choice, *, message: str | None = None) -> None:
        """Release or cancel a held task. Raises Refusal."""
        with self._world.lock:
            now = self._world.clock()
            if task.state(now) != HELD:
                late = self._world.personality.repeat_status == 404
                raise refusal.no_such_task() if late else refusal.not_held()
            self._settle(task, choice, now)
            text = f"Virtual machine '{task.machine.label}' workflow {NOUNS[choice]} was successful"
            text += f" (custom message: '{message}')" if message else ""
            self._world.trace(text, task=task.id, message=message)

    def acknowledge(self, task: Task) -> None:
        """Take note that a task failed. Raises Refusal."""
        with self._world.lock:
            now = self._world.clock()
            if task.state(now) != FAILED:
                raise refusal.not_held()
            task.timeline.append((now, "ACK_ERROR"))

    def give_up(self, tasks: Iterable[Task]) -> None:
        """End tasks that nobody was told of."""
        with self._world.lock:
            for task in tasks:
                if self._world.undecided.pop(task.id, None):
                    task.end(self._world.clock(), "ABORTED")

    def expire(self, task: Task) -> None:
        """Forget a task; what it was about to do is not done."""
        with self._world.lock:
            self.give_up([task])
            del self._world.tasks[task.id]

    def delete(self, machine: Machine) -> None:
        """Remove a machine and its tasks."""
        with self._world.lock:
            for task in machine.tasks:
                self._world.tasks.pop(task.id, None)
                self._world.undecided.pop(task.id, None)
            machine.appliance.machines.remove(machine)
            del self._world.machines[machine.id]

    def _one(self, type: str, machine: Machine, user: User, states: frozenset[str]) -> list[Task]:
        with self._world.lock:
            self._require(machine, states)
            bare = self._world.personality.single_deploy_bare
            return self._hold([self._begin(type, machine, user)], collection=not bare)

    def _batch(
        self, type: str, machines: Iterable[Machine], user: User, states: frozenset[str]
    ) -> list[Task]:
        """One operation on those of the machines that are in one of the states."""
        with self._world.lock:
            now = self._world.clock()
            able = [machine for machine in machines if status(machine, now) in states]
            return self._hold([self._begin(type, one, user) for one in able], collection=True)

    def _require(self, machine: Machine, states: frozenset[str]) -> None:
        if status(machine, self._world.clock()) not in states:
            raise refusal.locked()

    def _begin(self, type: str, machine: Machine, user: User) -> Task:
        now = self._world.clock()
        readable_from = now + self._world.personality.unreadable_for
        task = Task(str(uuid4()), type, machine, user, now, readable_from)
        self._world.add_task(task)
        return task

    def _hold(self, tasks: list[Task], *, collection: bool) -> list[Task]:
        """Announce the tasks; where the workflow is off, they go on at once."""
        if not tasks:
            return tasks
        if self._guards(tasks[0].machine):
            self._announce(tasks, collection)
            return tasks
        for task in tasks:
            self._settle(task, "continue", self._world.clock())
        return tasks

    def _guards(self, machine: Machine) -> bool:
        world = self._world
        flag = machine.enterprise.workflow or not world.personality.workflow_flag
        return world.workflow_enabled and flag

    def _settle(self, task: Task, choice: Choice, now: float) -> None:
        del self._world.undecided[task.id]
        if choice == "continue":
            task.go_on(now, self._world.pace, self._world.personality.finishes)
        else:
            task.end(now, self._world.personality.cancelled_state)


def _overwrite(machine: Machine, values: dict[str, Any]) -> dict[str, Any]:
    """Set fields of a machine; return what was there before."""
    before = {name: getattr(machine, name) for name in values}
    for name, value in values.items():
        setattr(machine, name, value)
    return before

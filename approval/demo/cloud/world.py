"""Everything that exists in the cloud, and how it behaves."""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from approval.demo.cloud import refusal
from approval.demo.cloud.personality import V3_10, Personality
from approval.demo.cloud.task import HELD, Task, status
from approval.demo.cloud.things import Appliance, Datacenter, Enterprise, Machine, Role, User

T = TypeVar("T")

NORMAL_ROLES = {
    "CLOUD_ADMIN": frozenset({"WORKFLOW_OVERRIDE", "USERS_VIEW", "ENTERPRISE_ADMINISTER_ALL"}),
    "ENTERPRISE_ADMIN": frozenset({"WORKFLOW_OVERRIDE", "USERS_VIEW"}),
    "USER": frozenset[str](),
}


@dataclass(frozen=True)
class Event:
    """What the platform has traced; `message` is the one that came with a decision."""

    at: float
    text: str
    task: str | None = None
    code: str | None = None
    message: str | None = None


@dataclass(eq=False)
class World:
    """Take the lock before reading or changing anything in it.

    `pace` is how many seconds a continued task takes for each of its steps.
    """

    personality: Personality = V3_10
    workflow_enabled: bool = True
    pace: float = 1.0
    clock: Callable[[], float] = time.time
    lock: threading.RLock = field(default_factory=threading.RLock)
    roles: dict[int, Role] = field(default_factory=dict)
    enterprises: dict[int, Enterprise] = field(default_factory=dict)
    users: dict[int, User] = field(default_factory=dict)
    nicks: dict[str, User] = field(default_factory=dict)
    datacenters: dict[int, Datacenter] = field(default_factory=dict)
    appliances: dict[int, Appliance] = field(default_factory=dict)
    machines: dict[int, Machine] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    undecided: dict[str, Task] = field(default_factory=dict)
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=10_000))
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(100))

    def __post_init__(self) -> None:
        for number, (name, privileges) in enumerate(NORMAL_ROLES.items(), start=1):
            self.roles[number] = Role(number, name, privileges)

    def new_id(self, taken: Mapping[int, object]) -> int:
        return next(number for number in self._ids if number not in taken)

    def role(self, name: str) -> Role:
        return next(role for role in self.roles.values() if role.name == name)

    def add_role(self, name: str, *privileges: str, enterprise: Enterprise | None = None) -> Role:
        id = self.new_id(self.roles)
        role = self.roles[id] = Role(id, name, frozenset(privileges), enterprise)
        return role

    def trace(self, text: str, **details: Any) -> None:
        """Add an event."""
        self.events.append(Event(self.clock(), text, **details))

    def add_enterprise(self, name: str, *, id: int | None = None) -> Enterprise:
        id = self.new_id(self.enterprises) if id is None else id
        enterprise = self.enterprises[id] = Enterprise(id, name)
        return enterprise

    def add_user(
        self,
        enterprise: Enterprise,
        full_name: str,
        email: str,
        *,
        role: str = "USER",
        nick: str | None = None,
        active: bool = True,
        id: int | None = None,
    ) -> User:
        id = self.new_id(self.users) if id is None else id
        name, _, surname = full_name.partition(" ")
        nick = nick or f"{name.lower()}{id}"
        user = User(id, enterprise, self.role(role), nick, name, surname, email, active)
        self.users[id] = self.nicks[nick] = user
        enterprise.users.append(user)
        return user

    def add_datacenter(
        self, enterprise: Enterprise, name: str, location: str, *, id: int | None = None
    ) -> Datacenter:
        id = self.new_id(self.datacenters) if id is None else id
        datacenter = self.datacenters[id] = Datacenter(id, enterprise, name, location)
        return datacenter

    def add_appliance(
        self, datacenter: Datacenter, name: str, *, id: int | None = None
    ) -> Appliance:
        id = self.new_id(self.appliances) if id is None else id
        appliance = self.appliances[id] = Appliance(id, datacenter, name)
        return appliance

    def add_machine(
        self, appliance: Appliance, user: User, label: str, *, id: int | None = None, **values: Any
    ) -> Machine:
        """Add a machine; `values` are further fields of it."""
        id = self.new_id(self.machines) if id is None else id
        values = {"name": f"ABQ_{0x9E3779B97F4A7C15 * id % 2**64:016x}"} | values
        machine = self.machines[id] = Machine(id, appliance, user, label=label, **values)
        appliance.machines.append(machine)
        return machine

    def add_task(self, task: Task) -> None:
        """Hold a task, and with it its machine."""
        state = status(task.machine, self.clock())
        if state != "LOCKED":
            task.machine.state = state
        self.tasks[task.id] = self.undecided[task.id] = task
        task.machine.tasks.append(task)

    def machine(self, id: int) -> Machine:
        """The machine. Raises Refusal."""
        if id not in self.machines:
            raise refusal.no_such_machine()
        return self.machines[id]

    def task(self, id: str) -> Task:
        """The task, if it can be read already. Raises Refusal."""
        task = self.tasks.get(id)
        if task is None or task.readable_from > self.clock():
            raise refusal.no_such_task()
        return task

    def held(self) -> list[Task]:
        """The tasks that wait for a decision and can be read."""
        now = self.clock()
        return [
            task
            for task in self.undecided.values()
            if task.readable_from <= now and task.state(now) == HELD
        ]

"""An operation on a machine, which the workflow may hold.

Nothing runs while a task goes on: its timeline says which state begins when, and whoever asks
reads it by the clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from approval.demo.cloud.things import Machine, User

HELD = "QUEUEING"
RUNNING = frozenset({HELD, "PENDING", "STARTED"})
DONE = "FINISHED_SUCCESSFULLY"
FAILED = "FINISHED_UNSUCCESSFULLY"

JOBS = {
    "DEPLOY": ("SCHEDULE", "CONFIGURE", "POWER_ON"),
    "UNDEPLOY": ("POWER_OFF", "DECONFIGURE", "FREE_RESOURCES"),
    "RECONFIGURE": ("UPDATE_RESOURCES", "RECONFIGURE", "REGISTER_VM"),
}
LEADS_TO = {"DEPLOY": "ON", "UNDEPLOY": "NOT_ALLOCATED"}


@dataclass(eq=False)
class Task:
    """`before` holds what a reconfiguration has overwritten."""

    id: str
    type: str
    machine: Machine
    user: User
    created: float
    readable_from: float = 0.0
    before: Mapping[str, Any] = field(default_factory=dict)
    timeline: list[tuple[float, str]] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"{self.machine.path}/tasks/{self.id}"

    def state(self, now: float) -> str:
        return self._current(now)[1]

    def changed(self, now: float) -> float:
        """When the current state began."""
        return self._current(now)[0]

    def _current(self, now: float) -> tuple[float, str]:
        begun = (entry for entry in reversed(self.timeline) if entry[0] <= now)
        return next(begun, (self.created, HELD))

    def go_on(self, now: float, pace: float, end: str) -> None:
        """Pass through the queue, run, end: each step takes `pace` seconds."""
        self.timeline += [(now, "PENDING"), (now + pace, "STARTED"), (now + 2 * pace, end)]

    def end(self, now: float, state: str) -> None:
        """End at once. What a reconfiguration has overwritten comes back."""
        self.timeline.append((now, state))
        for name, value in self.before.items():
            setattr(self.machine, name, value)

    def jobs(self) -> list[tuple[str, str]]:
        """The ids and types of the jobs."""
        kinds = JOBS.get(self.type, (self.type,))
        return [(f"{self.id}.{uuid5(NAMESPACE_OID, self.id + kind)}", kind) for kind in kinds]


def status(machine: Machine, now: float) -> str:
    """The state of a machine: locked while a task is at work on it."""
    if not machine.tasks:
        return machine.state
    state = machine.tasks[-1].state(now)
    if state in RUNNING:
        return "LOCKED"
    leads_to = LEADS_TO.get(machine.tasks[-1].type, machine.state)
    return leads_to if state == DONE else machine.state

"""The platform's users: they begin operations, and its callbacks go to the gate."""

import random
import threading
from collections import deque
from collections.abc import Callable
from itertools import cycle

from approval.demo.cloud import Cloud, add_equipped
from approval.demo.cloud.things import Appliance
from tests.load.ledger import Ledger

APPLIANCES = 200
SIZES = (1, 1, 1, 2, 6)  # machines in an appliance, by turns
KNOWN = (200, 202)
REPEATED, AT_ONCE, RECONFIGURED = 0.15, 0.05, 0.2  # how often
KIND = {"Content-Type": "application/vnd.abiquo.tasks+json; version=3.10"}


class Users:
    """Begin operations; `announced` are the tasks of which the gate said that it knows them.

    The simulated platform's own callbacks are lost on purpose: the same bodies are sent from
    here, so that every answer can be seen, and some of them sent twice.
    """

    def __init__(self, cloud: Cloud, ledger: Ledger, do: Callable[..., None], seed: int) -> None:
        self.announced: set[str] = set()
        self._cloud = cloud
        self._ledger = ledger
        self._do = do
        self._chance = random.Random(seed)  # noqa: S311 - not a secret
        self._lock = threading.Lock()
        self._appliances = deque(_build(cloud))
        cloud.lose_callbacks(10**9)

    def begin(self) -> None:
        """Begin something on an appliance that rests, and announce it."""
        with self._lock:
            tasks = self._operate()
            chance = self._chance.random()
        if not tasks:
            return
        body = self._cloud.callback_body(tasks, collection=len(tasks) > 1 or chance < 0.5)
        if chance < AT_ONCE:
            self._do(lambda: self._announce("repeats", body, tasks))
        self._announce("callbacks", body, tasks)
        if AT_ONCE <= chance < AT_ONCE + REPEATED:
            self._announce("repeats", body, tasks)

    def _announce(self, what: str, body: bytes, tasks: list[str]) -> None:
        answer = self._ledger.ask(what, "POST", "/callback", KNOWN, data=body, headers=KIND)
        if answer is not None and answer.status_code in KNOWN:
            with self._lock:
                self.announced.update(tasks)

    def _operate(self) -> list[str]:
        appliance = self._resting()
        if appliance is None:
            return []
        states = {
            machine.id: self._cloud.machine_state(machine.id) for machine in appliance.machines
        }
        if "NOT_ALLOCATED" in states.values():
            return self._cloud.deploy_appliance(appliance.id)
        if self._chance.random() < RECONFIGURED:
            machine = self._chance.choice(appliance.machines)
            return self._cloud.reconfigure(machine.id, cpu=machine.cpu % 8 + 1)
        return self._cloud.undeploy_appliance(appliance.id)

    def _resting(self) -> Appliance | None:
        """The appliance that has rested longest; None if something goes on in all of them."""
        for _ in range(len(self._appliances)):
            appliance = self._appliances.popleft()
            self._appliances.append(appliance)
            states = (self._cloud.machine_state(machine.id) for machine in appliance.machines)
            if "LOCKED" not in states:
                return appliance
        return None


def _build(cloud: Cloud) -> list[Appliance]:
    world, built = cloud.world, []
    with world.lock:
        for number, size in zip(range(APPLIANCES), cycle(SIZES), strict=False):
            appliance = world.add_appliance(world.datacenters[3], f"Appliance {number}")
            for place in range(size):
                add_equipped(world, appliance, world.users[1], f"machine-{number}-{place}")
            built.append(appliance)
    return built

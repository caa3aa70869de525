"""Held tasks from a callback that this platform never sent.

So a callback from a manual, or from another installation, finds its tasks here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from approval.demo.cloud.sample import add_equipped
from approval.demo.cloud.task import Task
from approval.demo.cloud.things import Appliance, Datacenter, Enterprise, Machine, User
from approval.demo.cloud.world import World
from approval.model import HeldTask
from approval.platforms.abiquo.callback import read

TARGET = re.compile(r"cloud/virtualdatacenters/(\d+)/virtualappliances/(\d+)/virtualmachines/(\d+)")
USER = re.compile(r"admin/enterprises/(\d+)/users/(\d+)")


@dataclass(frozen=True)
class Ids:
    enterprise: int
    user: int
    datacenter: int
    appliance: int
    machine: int


def adopt(world: World, body: bytes) -> list[Task]:
    """Hold the tasks of a callback body; make up whatever they need that is not there."""
    held_tasks = read(body, {}).tasks
    with world.lock:
        return [_adopt(world, held) for held in held_tasks]


def _adopt(world: World, held: HeldTask) -> Task:
    if held.id in world.tasks:
        return world.tasks[held.id]
    ids = _ids(held.links)
    user = _user(world, ids)
    machine = _machine(world, ids, user)
    task = Task(held.id, held.type, machine, user, world.clock())
    world.add_task(task)
    return task


def _ids(links: Mapping[str, str]) -> Ids:
    target = TARGET.match(links["target"])
    user = USER.match(links.get("user", ""))
    if target is None:
        raise ValueError(f"the target is not a machine: {links['target']}")
    enterprise, person = user.groups() if user else ("1", "1")
    return Ids(int(enterprise), int(person), *map(int, target.groups()))


def _enterprise(world: World, id: int) -> Enterprise:
    return world.enterprises.get(id) or world.add_enterprise(f"Enterprise {id}", id=id)


def _user(world: World, ids: Ids) -> User:
    owner = _enterprise(world, ids.enterprise)
    return world.users.get(ids.user) or world.add_user(
        owner, f"User {ids.user}", f"user{ids.user}@enterprise{owner.id}.example", id=ids.user
    )


def _machine(world: World, ids: Ids, user: User) -> Machine:
    return world.machines.get(ids.machine) or add_equipped(
        world, _appliance(world, ids), user, f"machine-{ids.machine}", id=ids.machine
    )


def _appliance(world: World, ids: Ids) -> Appliance:
    return world.appliances.get(ids.appliance) or world.add_appliance(
        _datacenter(world, ids), f"Appliance {ids.appliance}", id=ids.appliance
    )


def _datacenter(world: World, ids: Ids) -> Datacenter:
    return world.datacenters.get(ids.datacenter) or world.add_datacenter(
        _enterprise(world, ids.enterprise),
        f"Datacenter {ids.datacenter}",
        "Madrid",
        id=ids.datacenter,
    )

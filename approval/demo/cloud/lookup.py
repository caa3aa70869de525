"""From the ids in a path to the things they stand for, as far as the caller may see them.

Everything here raises Refusal.
"""

from approval.demo.cloud import refusal
from approval.demo.cloud.task import Task
from approval.demo.cloud.things import Appliance, Datacenter, Enterprise, Machine, Role, User
from approval.demo.cloud.world import World


class Lookup:
    def __init__(self, world: World, caller: User) -> None:
        self._world = world
        self._caller = caller

    def enterprise(self, id: int) -> Enterprise:
        if id not in self._world.enterprises:
            raise refusal.no_such("enterprise", "EN-0")
        return self._visible(self._world.enterprises[id])

    def user(self, enterprise: int, id: int) -> User:
        user = self._world.users.get(id)
        if user is None or user.enterprise is not self.enterprise(enterprise):
            raise refusal.no_such("user", "USER-0")
        return user

    def role(self, id: int) -> Role:
        """The own role; another only by who may see users and has all that it allows."""
        role = self._world.roles.get(id)
        if role is None:
            raise refusal.no_such("role", "ROLE-0")
        if role is not self._caller.role and not (
            self._caller.may("USERS_VIEW") and role.privileges <= self._caller.role.privileges
        ):
            raise refusal.not_permitted()
        return role

    def datacenter(self, id: int) -> Datacenter:
        if id not in self._world.datacenters:
            raise refusal.no_such("virtual datacenter", "VDC-0")
        datacenter = self._world.datacenters[id]
        self._visible(datacenter.enterprise)
        return datacenter

    def appliance(self, datacenter: int, id: int) -> Appliance:
        appliance = self._world.appliances.get(id)
        if appliance is None or appliance.datacenter is not self.datacenter(datacenter):
            raise refusal.no_such("virtual appliance", "VAPP-0")
        return appliance

    def machine(self, datacenter: int, appliance: int, id: int) -> Machine:
        machine = self._world.machine(id)
        if machine.appliance is not self.appliance(datacenter, appliance):
            raise refusal.no_such_machine()
        return machine

    def task(self, datacenter: int, appliance: int, machine: int, id: str) -> Task:
        task = self._world.task(id) if self.machine(datacenter, appliance, machine) else None
        if task is None or task.machine.id != machine:
            raise refusal.no_such_task()
        return task

    def _visible(self, enterprise: Enterprise) -> Enterprise:
        everywhere = self._caller.may("ENTERPRISE_ADMINISTER_ALL")
        if enterprise is not self._caller.enterprise and not everywhere:
            raise refusal.not_permitted()
        return enterprise

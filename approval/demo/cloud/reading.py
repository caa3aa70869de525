"""What can be read through the API: each path with its kinds of document, the usual one first."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import Forbidden

from approval.demo.cloud.documents import machines, people, places, tasks
from approval.demo.cloud.documents.document import Document
from approval.demo.cloud.lookup import Lookup
from approval.demo.cloud.paging import cut
from approval.demo.cloud.task import Task
from approval.demo.cloud.things import User
from approval.demo.cloud.world import World


@dataclass(frozen=True)
class Question:
    """Who asks for which kind of document."""

    world: World
    caller: User
    kind: str
    query: MultiDict[str, str]

    @property
    def find(self) -> Lookup:
        return Lookup(self.world, self.caller)

    @property
    def now(self) -> float:
        return self.world.clock()


View = Callable[..., Document]


def login(asked: Question) -> Document:
    return people.user(asked.caller)


def enterprises(asked: Question) -> Document:
    """Those that the caller may see; `has` looks for a part of the name."""
    everywhere = asked.caller.may("ENTERPRISE_ADMINISTER_ALL")
    seen = asked.world.enterprises.values() if everywhere else [asked.caller.enterprise]
    wanted = asked.query.get("has", "").lower()
    chosen = sorted((one for one in seen if wanted in one.name.lower()), key=lambda one: one.name)
    page = cut(chosen, asked.query)
    items = [people.enterprise(one, asked.world.personality) for one in page.items]
    links = page.links("admin/enterprises", asked.query)
    return Document("enterprises", "enterprises", links=links, items=items, total=page.total)


def enterprise(asked: Question, enterprise: int) -> Document:
    return people.enterprise(asked.find.enterprise(enterprise), asked.world.personality)


def role(asked: Question, role: int) -> Document:
    return people.role(asked.find.role(role))


def privileges(asked: Question, role: int) -> Document:
    return people.privileges(asked.find.role(role))


def roles(asked: Question) -> Document:
    """Those of all enterprises, or of the one that is asked for; of those that may be seen."""
    wanted = asked.query.get("identerprise", 0, type=int)
    owner = asked.find.enterprise(wanted) if wanted else None
    known = [role for role in asked.world.roles.values() if role.enterprise is owner]
    everyone = asked.caller.may("USERS_VIEW")
    page = cut([role for role in known if everyone or role is asked.caller.role], asked.query)
    links = page.links("admin/roles", asked.query)
    items = [people.role(role) for role in page.items]
    return Document("roles", "roles", links=links, items=items, total=page.total)


def user(asked: Question, enterprise: int, user: int) -> Document:
    return people.user(asked.find.user(enterprise, user))


def users(asked: Question, enterprise: int) -> Document:
    return _users(asked, asked.find.enterprise(enterprise).users, f"{enterprise}")


def all_users(asked: Question) -> Document:
    return _users(asked, asked.world.users.values(), "_")


def _users(asked: Question, among: Iterable[User], enterprise: str) -> Document:
    if not asked.caller.may("USERS_VIEW"):
        raise Forbidden  # by the security filter, so without an errors document
    chosen = sorted(_chosen(among, asked.query), key=lambda user: (user.name, user.id))
    page = cut(chosen, asked.query)
    links = page.links(f"admin/enterprises/{enterprise}/users", asked.query)
    if asked.kind == "userswithroles":
        items = [people.user_with_role(user) for user in page.items]
        return Document(asked.kind, "usersWithRoles", links=links, items=items, total=page.total)
    items = [people.user(user) for user in page.items]
    return Document(asked.kind, "users", links=links, items=items, total=page.total)


def _chosen(users: Iterable[User], query: Mapping[str, str]) -> list[User]:
    wanted = query.get("has", "").lower()
    active = {"true": (True,), "false": (False,)}.get(query.get("activated", ""), (True, False))
    return [
        user
        for user in users
        if user.active in active and wanted in f"{user.nick} {user.full_name} {user.email}".lower()
    ]


def pending_of_enterprise(asked: Question, enterprise: int) -> Document:
    owner = asked.find.enterprise(enterprise)
    held = [task for task in asked.world.held() if task.machine.enterprise is owner]
    return _pending(asked, held, owner.path)


def pending_of_user(asked: Question, enterprise: int, user: int) -> Document:
    requester = asked.find.user(enterprise, user)
    held = [task for task in asked.world.held() if task.user is requester]
    return _pending(asked, held, requester.path)


def _pending(asked: Question, held: list[Task], path: str) -> Document:
    """Without links to other pages: whoever wants more counts up to the total."""
    wanted = asked.query.get("has", "").lower()
    found = [task for task in held if wanted in f"{task.type} {task.machine.label}".lower()]
    page = cut(found, asked.query)
    titles = asked.world.personality.user_titles
    items = [tasks.announced_task(task, asked.now, user_titles=titles) for task in page.items]
    return tasks.tasks(items, total=page.total, at=path)


def datacenter(asked: Question, vdc: int) -> Document:
    return places.datacenter(asked.find.datacenter(vdc), asked.world.personality)


def appliance(asked: Question, vdc: int, vapp: int) -> Document:
    return places.appliance(asked.find.appliance(vdc, vapp), asked.now)


def machine(asked: Question, vdc: int, vapp: int, vm: int) -> Document:
    found = asked.find.machine(vdc, vapp, vm)
    return machines.machine(found, asked.now, asked.world.personality)


def machines_of(asked: Question, vdc: int, vapp: int) -> Document:
    page = cut(asked.find.appliance(vdc, vapp).machines, asked.query)
    personality = asked.world.personality
    items = [machines.machine(each, asked.now, personality) for each in page.items]
    return Document("virtualmachines", "virtualMachines", items=items, total=page.total)


def disks(asked: Question, vdc: int, vapp: int, vm: int) -> Document:
    return machines.disks(asked.find.machine(vdc, vapp, vm))


def volumes(asked: Question, vdc: int, vapp: int, vm: int) -> Document:
    return machines.volumes(asked.find.machine(vdc, vapp, vm))


def nics(asked: Question, vdc: int, vapp: int, vm: int) -> Document:
    return machines.nics(asked.find.machine(vdc, vapp, vm))


def task(asked: Question, vdc: int, vapp: int, vm: int, task: str) -> Document:
    return tasks.task(asked.find.task(vdc, vapp, vm, task), asked.now)


def tasks_of(asked: Question, vdc: int, vapp: int, vm: int) -> Document:
    known = asked.find.machine(vdc, vapp, vm).tasks
    readable = [each for each in known if each.readable_from <= asked.now]
    return tasks.tasks([tasks.task(each, asked.now) for each in reversed(readable)])


ENTERPRISE = "/admin/enterprises/<int:enterprise>"
USER = f"{ENTERPRISE}/users/<int:user>"
APPLIANCE = "/cloud/virtualdatacenters/<int:vdc>/virtualappliances/<int:vapp>"
MACHINE = f"{APPLIANCE}/virtualmachines/<int:vm>"

ROUTES: dict[str, tuple[View, tuple[Any, ...]]] = {
    "/login": (login, ("user",)),
    "/admin/enterprises/_/users": (all_users, ("users", "userswithroles")),
    "/admin/roles": (roles, ("roles",)),
    "/admin/roles/<int:role>": (role, ("role",)),
    "/admin/roles/<int:role>/action/privileges": (privileges, ("privileges",)),
    "/admin/enterprises": (enterprises, ("enterprises",)),
    ENTERPRISE: (enterprise, ("enterprise",)),
    f"{ENTERPRISE}/users": (users, ("users", "userswithroles")),
    f"{ENTERPRISE}/action/pendingtasks": (pending_of_enterprise, ("tasks",)),
    USER: (user, ("user",)),
    f"{USER}/action/pendingtasks": (pending_of_user, ("tasks",)),
    "/cloud/virtualdatacenters/<int:vdc>": (datacenter, ("virtualdatacenter",)),
    APPLIANCE: (appliance, ("virtualappliance",)),
    f"{APPLIANCE}/virtualmachines": (machines_of, ("virtualmachines",)),
    MACHINE: (machine, ("virtualmachine",)),
    f"{MACHINE}/storage/disks": (disks, ("harddisks",)),
    f"{MACHINE}/storage/volumes": (volumes, ("volumes",)),
    f"{MACHINE}/network/nics": (nics, ("nics",)),
    f"{MACHINE}/tasks": (tasks_of, ("tasks",)),
    f"{MACHINE}/tasks/<task>": (task, ("task", "taskextended")),
}

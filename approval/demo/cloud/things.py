"""What a cloud is made of. `path` is where the API keeps a thing, below its root."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from approval.demo.cloud.task import Task


@dataclass(eq=False)
class Role:
    """A role of all enterprises, or of `enterprise` alone."""

    id: int
    name: str
    privileges: frozenset[str]
    enterprise: Enterprise | None = None

    @property
    def path(self) -> str:
        return f"admin/roles/{self.id}"


@dataclass(eq=False)
class Enterprise:
    id: int
    name: str
    workflow: bool = True
    users: list[User] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"admin/enterprises/{self.id}"


@dataclass(eq=False)
class User:
    id: int
    enterprise: Enterprise
    role: Role
    nick: str
    name: str
    surname: str
    email: str
    active: bool = True
    password: str = "xabiquo"  # noqa: S105 - the platform's well-known default

    @property
    def path(self) -> str:
        return f"{self.enterprise.path}/users/{self.id}"

    @property
    def full_name(self) -> str:
        return f"{self.name} {self.surname}".strip()

    def may(self, privilege: str) -> bool:
        return privilege in self.role.privileges


@dataclass(eq=False)
class Datacenter:
    """A virtual datacenter; `location` is the name of the physical one or of the region."""

    id: int
    enterprise: Enterprise
    name: str
    location: str

    @property
    def path(self) -> str:
        return f"cloud/virtualdatacenters/{self.id}"


@dataclass(eq=False)
class Appliance:
    id: int
    datacenter: Datacenter
    name: str
    machines: list[Machine] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"{self.datacenter.path}/virtualappliances/{self.id}"

    @property
    def enterprise(self) -> Enterprise:
        return self.datacenter.enterprise


@dataclass(frozen=True)
class Disk:
    """A hard disk; the first one of a machine is its system disk."""

    id: int
    size_mb: int
    label: str | None = None


@dataclass(frozen=True)
class Volume:
    id: int
    name: str
    size_mb: int


@dataclass(frozen=True)
class Nic:
    id: int
    ip: str
    mac: str
    network: str


@dataclass(eq=False)
class Machine:
    """`state` is the one it was in when its last task began; `task.status` tells today's."""

    id: int
    appliance: Appliance
    user: User
    name: str
    label: str
    description: str | None = None
    template: str = "CentOS 7"
    cpu: int = 1
    ram: int = 1024  # MB
    state: str = "NOT_ALLOCATED"
    disks: tuple[Disk, ...] = ()
    volumes: tuple[Volume, ...] = ()
    nics: tuple[Nic, ...] = ()
    tasks: list[Task] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"{self.appliance.path}/virtualmachines/{self.id}"

    @property
    def enterprise(self) -> Enterprise:
        return self.appliance.enterprise

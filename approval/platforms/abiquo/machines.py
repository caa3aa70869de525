"""Machines as the platform describes them: what to read, and what it says."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from approval.model import Disk, Machine, Place
from approval.platforms.abiquo import disks, hrefs
from approval.platforms.abiquo.documents import Document
from approval.platforms.abiquo.gathered import Gathered

NIC = re.compile("nic([0-9]{1,4})")
MAX_NAME = 255
MAX_DESCRIPTION = 1000


def first_reads(path: str) -> dict[str, str]:
    """What to read of the machine at this path: entities by path."""
    return {
        path: "virtualmachine",
        f"{path}/storage/disks": "harddisks",
        f"{path}/storage/volumes": "volumes",
        hrefs.datacenter_of(path): "virtualdatacenter",
    }


def further_reads(path: str, machine: Document, root: str) -> dict[str, str]:
    """What the links of the machine do not say by their titles."""
    named = _named(path, machine, root)
    wanted = {named[rel]: rel for rel in named if not machine.title(rel)}
    if machine.links_to("nics") and not _titled_addresses(machine):
        wanted[f"{path}/network/nics"] = "nics"
    return wanted


def enterprise_of(machine: Document, root: str) -> str | None:
    """The path of the enterprise to which the machine belongs."""
    return hrefs.linked(machine.links_to("enterprise"), hrefs.ENTERPRISE, root)


def describe(path: str, gathered: Gathered, root: str) -> Machine | None:
    """Put together what was read of the machine; None if the machine itself was not."""
    number = f"machine {path.rpartition('/')[2]}"
    document = gathered.take(path, "details", number)
    if document is None:
        return None
    called = _short(document.text("label") or document.text("name")) or number
    return _Found(path, document, gathered, _named(path, document, root), called).machine()


@dataclass(frozen=True)
class _Found:
    """A machine that was read, among what was gathered about it."""

    path: str
    document: Document
    gathered: Gathered
    named: dict[str, str]
    called: str

    def machine(self) -> Machine:
        text = self.document.text
        return Machine(
            key=self.path,
            name=_short(text("name")),
            label=_short(text("label")),
            description=_short(text("description"), MAX_DESCRIPTION),
            template=self.name_of("virtualmachinetemplate", "template"),
            cpu=self.document.number("cpu"),
            memory_mb=self.document.number("ram"),
            disks=self.disks(),
            addresses=self.addresses(),
            place=self.place(),
        )

    def place(self) -> Place:
        datacenter = self.take(hrefs.datacenter_of(self.path), "location")
        return Place(
            enterprise=self.name_of("enterprise", "enterprise"),
            datacenter=self.name_of("virtualdatacenter", "virtual datacenter"),
            location=_short(_location(datacenter)) if datacenter else None,
            appliance=self.name_of("virtualappliance", "virtual appliance"),
        )

    def disks(self) -> tuple[Disk, ...]:
        found = self._disks("storage/disks", "disks", disks.disks)
        found += self._disks("storage/volumes", "volumes", disks.volumes)
        template = disks.template_disk(self.document)
        if template and not any(disk.system for disk in found):
            found.append(template)
        return tuple(sorted(found, key=lambda disk: not disk.system))

    def _disks(self, where: str, what: str, read: Callable[[Document], list[Disk]]) -> list[Disk]:
        found = self.take(f"{self.path}/{where}", what)
        try:
            return read(found) if found else []
        except disks.SizeMissing:
            self.gathered.miss(what, self.called)
            return []

    def addresses(self) -> tuple[str, ...]:
        titled = _titled_addresses(self.document)
        nics = None if titled else self.take(f"{self.path}/network/nics", "network addresses")
        items = (nics.items("nic") if nics else None) or []
        return titled or tuple(filter(None, (_short(nic.text("ip")) for nic in items)))

    def name_of(self, rel: str, what: str) -> str | None:
        """The name of what a link leads to: its title, or what was read there."""
        title = self.document.title(rel)
        found = self.take(self.named[rel], what) if not title and rel in self.named else None
        return _short(found.text("name") if found else title)

    def take(self, path: str, what: str) -> Document | None:
        return self.gathered.take(path, what, self.called)


def _named(path: str, machine: Document, root: str) -> dict[str, str]:
    """Where the names around a machine can be read: paths by rel, which is the entity too."""
    found = {
        "virtualdatacenter": hrefs.datacenter_of(path),
        "virtualappliance": hrefs.appliance_of(path),
        "enterprise": enterprise_of(machine, root),
        "virtualmachinetemplate": hrefs.linked(
            machine.links_to("virtualmachinetemplate"), hrefs.TEMPLATE, root
        ),
    }
    return {rel: path for rel, path in found.items() if path}


def _location(datacenter: Document) -> str | None:
    """Where it lies: a datacenter or a region, and before 3.0 under another rel."""
    return datacenter.title("location") or datacenter.title("datacenter")


def _titled_addresses(machine: Document) -> tuple[str, ...]:
    nics = ((NIC.fullmatch(link.rel), link.title) for link in machine.links)
    found = sorted((int(nic[1]), title) for nic, title in nics if nic and title)
    return tuple(title[:MAX_NAME] for _, title in found)


def _short(text: str | None, limit: int = MAX_NAME) -> str | None:
    return f"{text[: limit - 1]}…" if text and len(text) > limit else text

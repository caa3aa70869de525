"""Machines as documents, and what is attached to them."""

from typing import Any

from approval.demo.cloud.documents.document import Document, Fields, Link
from approval.demo.cloud.documents.places import place
from approval.demo.cloud.personality import Personality
from approval.demo.cloud.task import HELD, status
from approval.demo.cloud.things import Disk, Machine, Nic, Volume

STATE_IDS = {"NOT_ALLOCATED": 1, "ON": 4, "PAUSED": 5, "OFF": 6, "LOCKED": 7}


def machine(machine: Machine, now: float, personality: Personality) -> Document:
    state = status(machine, now)
    values = {name: getattr(machine, name) for name in ("label", "description", "cpu", "ram")}
    if not personality.shows_requested:
        values |= _before(machine, now)
    fields: Fields = {
        "id": machine.id,
        "name": machine.name,
        **values,
        "state": state,
        "idState": STATE_IDS.get(state, 0),
        "type": "MANAGED",
        "idType": 0,
        "vdrpEnabled": True,
        "vdrpPort": 0,
        "highDisponibility": 0,
        "monitored": False,
        "protected": False,
        "variables": {},
        "hdInBytes": _disk_bytes(machine) if personality.hd_in_bytes else None,
    }
    return Document("virtualmachine", "virtualMachine", fields, _machine_links(machine, state))


def _before(machine: Machine, now: float) -> dict[str, Any]:
    """What a held reconfiguration has overwritten."""
    held = [task for task in machine.tasks[-1:] if task.state(now) == HELD]
    return dict(held[0].before) if held else {}


def _disk_bytes(machine: Machine) -> int:
    return machine.disks[0].size_mb * 2**20 if machine.disks else 0


def _machine_links(machine: Machine, state: str) -> list[Link]:
    path, user = machine.path, machine.user
    links = [Link("edit", path, "virtualmachine", machine.label), *place(machine.appliance)]
    links += [
        Link("user", user.path, "user", user.full_name),
        Link("virtualmachinetemplate", "cloud/templates/1", "virtualmachinetemplate",
             machine.template),
        Link("state", f"{path}/state", "virtualmachinestate", state),
        Link("harddisks", f"{path}/storage/disks", "harddisks", "disks"),
        Link("volumes", f"{path}/storage/volumes", "volumes", "volumes"),
        Link("nics", f"{path}/network/nics", "nics", "nics"),
        Link("tasks", f"{path}/tasks", "tasks", "tasks"),
        Link("deploy", f"{path}/action/deploy"),
        Link("undeploy", f"{path}/action/undeploy"),
    ]  # fmt: skip
    return links + _attached(machine)


def _attached(machine: Machine) -> list[Link]:
    """Disks come first, and volumes count on from them."""
    base = machine.appliance.datacenter.path
    links = [
        Link(f"disk{n}", f"{base}/disks/{disk.id}", "harddisk", disk.label or str(disk.id),
             {"length": str(disk.size_mb), "diskControllerType": "IDE"})
        for n, disk in enumerate(machine.disks)
    ]  # fmt: skip
    links += [
        Link(f"disk{n}", f"{base}/volumes/{volume.id}", "volume", volume.name)
        for n, volume in enumerate(machine.volumes, start=len(machine.disks))
    ]
    links += [
        Link(f"nic{n}", f"{base}/privatenetworks/1/ips/{nic.id}", "privateip", nic.ip)
        for n, nic in enumerate(machine.nics)
    ]
    return links


def disk(disk: Disk, sequence: int, base: str) -> Document:
    fields: Fields = {
        "id": disk.id,
        "sequence": sequence,
        "sizeInMb": disk.size_mb,
        "label": disk.label,
        "bootable": sequence == 0,
        "diskControllerType": "IDE",
    }
    return Document("harddisk", "disk", fields, [Link("edit", f"{base}/disks/{disk.id}")])


def volume(volume: Volume, sequence: int, base: str) -> Document:
    fields: Fields = {
        "id": volume.id,
        "name": volume.name,
        "state": "ATTACHED",
        "sequence": sequence,
        "sizeInMB": volume.size_mb,  # a capital B, unlike the disks'
        "bootable": False,
    }
    return Document("volume", "volume", fields, [Link("edit", f"{base}/volumes/{volume.id}")])


def nic(nic: Nic, sequence: int, base: str) -> Document:
    ip = f"{base}/privatenetworks/1/ips/{nic.id}"
    links = [
        Link("self", ip, "privateip"),
        Link(f"nic{sequence}", ip, "privateip", nic.ip),
        Link("privatenetwork", f"{base}/privatenetworks/1", "vlan", nic.network),
    ]
    return Document("nic", "nic", {"id": nic.id, "mac": nic.mac, "ip": nic.ip}, links)


def disks(machine: Machine) -> Document:
    base = machine.appliance.datacenter.path
    items = [disk(each, sequence, base) for sequence, each in enumerate(machine.disks)]
    return Document("harddisks", "disks", items=items)


def volumes(machine: Machine) -> Document:
    base = machine.appliance.datacenter.path
    first = len(machine.disks)
    items = [volume(each, sequence, base) for sequence, each in enumerate(machine.volumes, first)]
    return Document("volumes", "volumes", items=items)


def nics(machine: Machine) -> Document:
    base = machine.appliance.datacenter.path
    items = [nic(each, sequence, base) for sequence, each in enumerate(machine.nics)]
    return Document("nics", "nics", items=items)

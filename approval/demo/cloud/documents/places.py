"""Virtual datacenters and appliances as documents."""

from approval.demo.cloud.documents.document import Document, Fields, Link
from approval.demo.cloud.personality import Personality
from approval.demo.cloud.task import status
from approval.demo.cloud.things import Appliance, Datacenter


def datacenter(datacenter: Datacenter, personality: Personality) -> Document:
    fields: Fields = {"id": datacenter.id, "name": datacenter.name, "hypervisorType": "KVM"}
    owner = datacenter.enterprise
    where = Link(personality.location_rel, "cloud/locations/1", "datacenter", datacenter.location)
    links = [
        Link("edit", datacenter.path, "virtualdatacenter", datacenter.name),
        Link("enterprise", owner.path, "enterprise", owner.name),
        where,
        Link("virtualappliances", f"{datacenter.path}/virtualappliances", "virtualappliances"),
    ]
    return Document("virtualdatacenter", "virtualDatacenter", fields, links)


def appliance(appliance: Appliance, now: float) -> Document:
    fields: Fields = {
        "id": appliance.id,
        "name": appliance.name,
        "state": _appliance_state(appliance, now),
        "error": 0,
        "publicApp": 0,
        "highDisponibility": 0,
    }
    links = [Link("edit", appliance.path, "virtualappliance", appliance.name)]
    links += place(appliance)[:2]
    links += [
        Link("virtualmachines", f"{appliance.path}/virtualmachines", "virtualmachines"),
        Link("deploy", f"{appliance.path}/action/deploy"),
        Link("undeploy", f"{appliance.path}/action/undeploy"),
    ]
    return Document("virtualappliance", "virtualAppliance", fields, links)


def _appliance_state(appliance: Appliance, now: float) -> str:
    states = {status(machine, now) for machine in appliance.machines}
    if not states:
        return "EMPTY"
    if "LOCKED" in states:
        return "LOCKED"
    return "NOT_DEPLOYED" if states == {"NOT_ALLOCATED"} else "DEPLOYED"


def place(appliance: Appliance) -> list[Link]:
    datacenter = appliance.datacenter
    owner = appliance.enterprise
    return [
        Link("enterprise", owner.path, "enterprise", owner.name),
        Link("virtualdatacenter", datacenter.path, "virtualdatacenter", datacenter.name),
        Link("virtualappliance", appliance.path, "virtualappliance", appliance.name),
    ]

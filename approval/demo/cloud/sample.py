"""A small world to try the gate out in."""

from typing import Any

from approval.demo.cloud.things import Appliance, Disk, Enterprise, Machine, Nic, User, Volume
from approval.demo.cloud.world import World

COLLEAGUES = (
    "Bruno Bell", "Carla Cruz", "Dana Diaz", "Elif Erdem", "Finn Fischer", "Gita Ghosh",
    "Hugo Hale", "Ines Ibarra", "Jonas Jung", "Kaya Kent", "Lena Lang", "Nora Nash",
    "Omar Ortiz", "Paula Price", "Quinn Quade", "Rosa Reyes", "Sven Storm", "Tara Tran",
    "Uma Ueda", "Vera Voss", "Wim Wolf", "Xenia Xu", "Yara Young", "Zoe Zimmer",
)  # fmt: skip

MACHINES: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (59, "web-01", {"description": "Front end", "cpu": 2, "ram": 4096}),
    (60, "web-02", {"description": "Front end", "cpu": 2, "ram": 4096}),
    (61, "db-01", {"description": "Orders", "cpu": 4, "ram": 16384, "template": "PostgreSQL 15"}),
    (62, "search-01", {"cpu": 4, "ram": 8192, "state": "ON"}),
    (63, "mail-01", {"cpu": 1, "ram": 2048, "state": "ON"}),
)
AWKWARD: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (64, "größe-Ω-東京", {}),
    (65, '<b>bold</b> & "quoted"', {"description": "<script>alert(1)</script>"}),
)


def sample_world(**settings: Any) -> World:
    """Acme with its people and machines, and Globex next door."""
    world = World(**settings)
    acme = world.add_enterprise("Acme", id=1)
    ana = _people(world, acme)
    _service_account(world)
    production = world.add_datacenter(acme, "Production", "Madrid", id=3)
    shop = world.add_appliance(production, "Shop", id=9)
    for id, label, values in MACHINES:
        add_equipped(world, shop, ana, label, id=id, **values)
    lab = world.add_appliance(production, "Lab", id=10)
    for id, label, values in AWKWARD:
        add_equipped(world, lab, ana, label, id=id, **values)
    _neighbours(world)
    return world


def add_equipped(
    world: World, appliance: Appliance, user: User, label: str, **values: Any
) -> Machine:
    """Add a machine with a disk, a volume where it is a database, and a network card."""
    id = values.pop("id", None) or world.new_id(world.machines)
    volumes = (Volume(id, "data", 122_880),) if label.startswith("db") else ()
    equipment = {
        "disks": (Disk(id, 10_240, "system"),),
        "volumes": volumes,
        "nics": (Nic(id, f"10.0.{id // 250 % 250}.{id % 250 + 1}", _mac(id), "Office"),),
    }
    return world.add_machine(appliance, user, label, id=id, **equipment, **values)


def _mac(id: int) -> str:
    digits = f"525400{id % 2**24:06x}"
    return ":".join(digits[place : place + 2] for place in range(0, 12, 2))


def _people(world: World, acme: Enterprise) -> User:
    """Ana, who asks; managers, of whom two can be asked; enough colleagues for a second page."""
    ana = world.add_user(acme, "Ana User", "ana@acme.example", nick="ana", id=1)
    managers: dict[str, Any] = {"role": "ENTERPRISE_ADMIN"}
    world.add_user(acme, "Mona Manager", "mona@acme.example", nick="mona", id=2, **managers)
    world.add_user(acme, "Max Boss", "max@acme.example", nick="max", id=3, **managers)
    world.add_user(
        acme, "Gone Gary", "gary@acme.example", nick="gary", id=4, active=False, **managers
    )
    world.add_user(acme, "Silent Sue", "", nick="sue", id=5, **managers)
    for id, name in enumerate(COLLEAGUES, start=6):
        world.add_user(acme, name, f"{name.split()[0].lower()}@acme.example", id=id)
    return ana


def _service_account(world: World) -> None:
    provider = world.add_enterprise("Provider", id=2)
    address = "cloud@provider.example"
    world.add_user(
        provider, "Cloud Administrator", address, nick="admin", role="CLOUD_ADMIN", id=50
    )


def _neighbours(world: World) -> None:
    globex = world.add_enterprise("Globex", id=3)
    hank = world.add_user(globex, "Hank Hall", "hank@globex.example", nick="hank", id=51)
    world.add_user(
        globex, "Olga Other", "olga@globex.example", nick="olga", role="ENTERPRISE_ADMIN", id=52
    )
    place = world.add_datacenter(globex, "Staging", "Lisbon", id=4)
    add_equipped(world, world.add_appliance(place, "Billing", id=11), hank, "pay-01", id=66)

"""Made-up people, machines and tasks, and when they were asked for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from approval.model import (
    Approver,
    Decision,
    Delivery,
    Disk,
    HeldTask,
    Machine,
    MailState,
    Person,
    Place,
    Task,
    TaskState,
)

ASKED = datetime(2026, 11, 21, 10, 2, tzinfo=UTC)
NOW = ASKED + timedelta(minutes=43)
DEADLINE = ASKED + timedelta(days=7)
LAPSE = ASKED + timedelta(days=3)
REQUEST = "7f3c0a52"
TOKEN = "eyJ0Ijoic2FtcGxlIn0.aSA4Bw.c2FtcGxlLXRva2Vu"  # noqa: S105 - opens nothing
CODE = "K7M 2QX"
WRONG = "This is not the code from your mail. You have 4 tries left."

ANA = Person(key="users/12", name="Ana User", address="ana@example.org", role="USER")
BOB = Approver(
    id=1,
    request_id=REQUEST,
    name="Bob Boss",
    address="bob@example.org",
    mail=MailState.SENT,
    mailed_at=ASKED,
)
SHOP = Place(enterprise="Acme", datacenter="Production", location="Madrid", appliance="Shop")
WEB = Machine(
    key="virtualmachines/1",
    name="ABQ_0a4c2f9e",
    label="web-01",
    description="Front end of the shop",
    template="Ubuntu 24.04 LTS",
    cpu=2,
    memory_mb=4096,
    disks=(Disk(size_mb=10240, system=True), Disk(size_mb=122880, name="data", volume=True)),
    addresses=("10.60.13.20",),
    place=SHOP,
)


def task(number: int, machine: Machine | None = None, **changes: Any) -> Task:
    """A pending task that deploys a machine of its own, unless `changes` say otherwise."""
    machine = machine or replace(WEB, key=f"virtualmachines/{number}", label=f"web-{number:02}")
    kind = changes.pop("type", "DEPLOY")
    held = HeldTask(
        id=f"d8113ffd-c3d9-4834-8b3c-{number:012x}", type=kind, links={}, held_since=ASKED
    )
    pending = Task(id=number, held=held, state=TaskState.PENDING, machine=machine)
    return replace(pending, **changes)


def decided(
    number: int,
    state: TaskState = TaskState.ACCEPTED,
    delivery: Delivery | None = Delivery.DELIVERED,
    **changes: Any,
) -> Task:
    """A task that Carol decided."""
    decision = Decision(
        by="Carol Chief", at=ASKED + timedelta(minutes=12), reason="The budget is spent until May."
    )
    return replace(
        task(number), **{"state": state, "delivery": delivery, "decision": decision} | changes
    )

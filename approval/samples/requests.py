"""Made-up requests: plain ones, and what is hard to show."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from approval.model import (
    ApprovalRequest,
    Decision,
    Delivery,
    Machine,
    Snapshot,
    Task,
    TaskState,
)
from approval.samples.things import ANA, ASKED, REQUEST, WEB, decided, task

HOSTILE = (
    '<img src="https://evil.example/x.png" onerror=alert(1)>',
    "</style></title></td><h1>Approved</h1>",
    "web-\u202e10-bew\u202c{{ 7 * 7 }}",
    "خادم الويب",
    "a-very-long-name-" * 12,
)


def request(*tasks: Task, **changes: Any) -> ApprovalRequest:
    """A request of Ana's for these tasks."""
    asked = ApprovalRequest(id=REQUEST, received_at=ASKED, tasks=tasks, requester=ANA)
    return replace(asked, **changes)


def deploy(count: int = 1) -> ApprovalRequest:
    """So many machines to be deployed, none decided yet."""
    return request(*(task(number) for number in range(1, count + 1)))


def reconfigure(*, known: bool = True) -> ApprovalRequest:
    """A machine to be reconfigured; `known`: the gate has seen it before."""
    bigger = replace(WEB, cpu=4, memory_mb=8192, addresses=("10.60.13.20", "10.60.14.7"))
    seen = Snapshot(WEB, ASKED - timedelta(days=9)) if known else None
    return request(task(1, bigger, type="RECONFIGURE", previous=seen))


def hostile() -> ApprovalRequest:
    """Names that try to be markup, to turn the text around or to burst the page."""
    return request(
        *(
            task(number, replace(WEB, label=name, description=name, template=name))
            for number, name in enumerate(HOSTILE, start=1)
        ),
        requester=replace(ANA, name=HOSTILE[0]),
    )


def incomplete() -> ApprovalRequest:
    """A request of which the platform told little."""
    return request(
        task(1, Machine(key="virtualmachines/1", name="ABQ_0a4c2f9e", cpu=2)),
        replace(task(2), machine=None),
        requester=None,
        missing=("disks of ABQ_0a4c2f9e", "the requester"),
    )


def every_state() -> ApprovalRequest:
    """Tasks in every state of decision and delivery."""
    there = ASKED + timedelta(minutes=20)
    gone = Decision(by="Abiquo", at=there, reason="it was continued on the platform")
    return request(
        task(1),
        task(2),
        decided(3),
        decided(4, TaskState.DECLINED, Delivery.WAITING),
        decided(5, TaskState.WITHDRAWN, None, decision=gone),
        decided(6, delivery=Delivery.OVERTAKEN, delivery_note="cancelled by its owner"),
        decided(7, delivery=Delivery.REFUSED, delivery_note="409 Conflict"),
        decided(8, TaskState.DECLINED, Delivery.FAILED),
    )

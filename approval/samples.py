"""Made-up requests that show what mails and pages have to cope with.

`approval check` renders every template with them, to find mistakes in an operator's own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from markupsafe import Markup

from approval.model import (
    ApprovalRequest,
    Approver,
    Decision,
    Delivery,
    Disk,
    HeldTask,
    Machine,
    MailState,
    Person,
    Place,
    Snapshot,
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
HOSTILE = (
    '<img src="https://evil.example/x.png" onerror=alert(1)>',
    "</style></title></td><h1>Approved</h1>",
    "web-\u202e10-bew\u202c{{ 7 * 7 }}",
    "خادم الويب",
    "a-very-long-name-" * 12,
)


@dataclass(frozen=True)
class Links:
    """An approver's links, as the mail that asks them gets them."""

    base: str = "https://approval.example.org"

    def accept(self, task: Task) -> str:
        """Open the page that accepts one task."""
        return f"{self.base}/accept?task={task.held.id}&token={TOKEN}"

    def decline(self, task: Task) -> str:
        """Open the page that declines one task."""
        return f"{self.base}/decline?task={task.held.id}&token={TOKEN}"

    @property
    def accept_all(self) -> str:
        """Open the page that accepts all tasks."""
        return f"{self.base}/multiple?action=accept&tasks=1,2,3&token={TOKEN}"

    @property
    def decline_all(self) -> str:
        """Open the page that declines all tasks."""
        return f"{self.base}/multiple?action=decline&tasks=1,2,3&token={TOKEN}"

    @property
    def review(self) -> str:
        """Open the page of the whole request."""
        return f"{self.base}/review?request={REQUEST}&token={TOKEN}"


def task(number: int, machine: Machine | None = None, **changes: Any) -> Task:
    """A pending task that deploys a machine of its own, unless `changes` say otherwise."""
    machine = machine or replace(WEB, key=f"virtualmachines/{number}", label=f"web-{number:02}")
    kind = changes.pop("type", "DEPLOY")
    held = HeldTask(
        id=f"d8113ffd-c3d9-4834-8b3c-{number:012x}", type=kind, links={}, held_since=ASKED
    )
    pending = Task(id=number, held=held, state=TaskState.PENDING, machine=machine)
    return replace(pending, **changes)


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


def every_state() -> ApprovalRequest:
    """Tasks in every state of decision and delivery."""
    gone = Decision(by="Abiquo", at=ASKED + timedelta(minutes=20), reason="Ended on the platform.")
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


def _asking(asked: ApprovalRequest, **changes: Any) -> dict[str, Any]:
    """What the pages that ask get."""
    pending = tuple(one for one in asked.tasks if one.state is TaskState.PENDING)
    return {
        "request": asked,
        "tasks": pending,
        "settled": tuple(one for one in asked.tasks if one not in pending),
        "action": "accept",
        "approver": BOB,
        "token": TOKEN,
        "task_ids": ",".join(one.held.id for one in pending),
        "many": len(pending) > 1,
        "code": False,
        "problem": "",
        "comment": "",
        "deadline": DEADLINE,
        "now": NOW,
    } | changes


def _review(asked: ApprovalRequest) -> dict[str, Any]:
    """What the page of a whole request gets."""
    pending = tuple(one for one in asked.tasks if one.state is TaskState.PENDING)
    return {
        "request": asked,
        "pending": pending,
        "approver": BOB,
        "token": TOKEN,
        "code": False,
        "task_ids": ",".join(one.held.id for one in pending),
        "deadline": DEADLINE,
        "now": NOW,
    }


def _result(asked: ApprovalRequest, action: str = "accept") -> dict[str, Any]:
    """What the page after the button press gets: the first task was decided now."""
    mine = Decision(by=BOB.name, at=NOW)
    state = TaskState.ACCEPTED if action == "accept" else TaskState.DECLINED
    first = replace(asked.tasks[0], state=state, decision=mine, delivery=Delivery.WAITING)
    return {
        "request": asked,
        "decided": (first,),
        "others": tuple(one for one in asked.tasks[1:] if one.state is not TaskState.PENDING),
        "action": action,
        "approver": BOB,
        "state_url": f"review?request={REQUEST}&token={TOKEN}",
        "now": NOW,
    }


def _mail(asked: ApprovalRequest, shown: int = 50) -> dict[str, Any]:
    """What the message that asks gets; it shows only so many tasks."""
    pending = tuple(one for one in asked.tasks if one.state is TaskState.PENDING)
    return {
        "request": asked,
        "approver": BOB,
        "tasks": pending[:shown],
        "more": max(0, len(pending) - shown),
        "links": Links(),
        "code": None,
        "deadline": DEADLINE,
        "many": len(pending) > 1,
    }


def _news(asked: ApprovalRequest, **changes: Any) -> dict[str, Any]:
    """What the messages after a decision get."""
    pending = sum(one.state is TaskState.PENDING for one in asked.tasks)
    return {"request": asked, "tasks": asked.tasks, "pending": pending} | changes


def _cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each page and mail with its contexts, the richest one of each first."""
    states, one = every_state(), deploy()
    patient = replace(one, decline_at=LAPSE)
    handled = tuple(task for task in states.tasks if task.state is not TaskState.PENDING)
    state_url = f"review?request={REQUEST}&token={TOKEN}"

    yield "page/confirm", _asking(states)
    yield "page/confirm", _asking(one, action="decline")
    yield "page/confirm", _asking(reconfigure(), approver=None, deadline=None)
    yield "page/confirm", _asking(reconfigure(known=False))
    yield "page/confirm", _asking(incomplete())
    yield "page/confirm", _asking(hostile())
    yield "page/confirm", _asking(one, code=True)
    yield "page/confirm", _asking(states, code=True, problem=WRONG, comment="The budget is spent.")
    yield "page/confirm", _asking(patient)
    yield "page/review", _review(states)
    yield "page/review", _review(replace(states, decline_at=LAPSE))
    yield "page/review", _review(states) | {"code": True}
    yield "page/review", _review(one)
    yield "page/review", _review(request(decided(1)))
    yield "page/result", _result(states)
    yield "page/result", _result(one, "decline") | {"state_url": None}
    yield "page/gone", {
        "request": states, "tasks": handled, "state_url": state_url, "now": NOW,
    }  # fmt: skip
    yield "page/gone", {
        "request": one, "tasks": (decided(1),), "state_url": None, "now": NOW,
    }  # fmt: skip
    yield "page/expired", {"token": TOKEN, "sent": False, "later": False}
    yield "page/expired", {"token": None, "sent": True, "later": False}
    yield "page/expired", {"token": None, "sent": False, "later": True}
    yield "page/expired", {"token": None, "sent": False, "later": False}
    yield "page/barred", {"revoked": True}
    yield "page/barred", {"revoked": False}
    yield "page/not_found", {}
    yield (
        "page/error",
        {
            "title": "Something went wrong",
            "reason": "Nothing was decided. Please try again in a few minutes.",
            "reference": "5d1c7a90",
        },
    )
    yield "page/error", {"title": "Busy", "reason": "Please try again.", "reference": None}
    yield "page/home", {}

    yield "mail/request", _mail(deploy(9), shown=4)
    yield "mail/request", _mail(states)
    yield "mail/request", _mail(one)
    yield "mail/request", _mail(reconfigure())
    yield "mail/request", _mail(reconfigure(known=False))
    yield "mail/request", _mail(incomplete())
    yield "mail/request", _mail(hostile())
    yield "mail/request", _mail(one) | {"code": CODE}
    yield "mail/request", _mail(states) | {"code": CODE}
    yield "mail/request", _mail(patient)
    yield "mail/request", _mail(replace(states, decline_at=DEADLINE + timedelta(days=3)))
    yield "mail/reminder", _mail(states)
    yield "mail/reminder", _mail(one)
    yield "mail/reminder", _mail(patient)
    yield "mail/reminder", _mail(replace(deploy(9), decline_at=LAPSE), shown=4) | {"code": CODE}
    note = {"approver": BOB, "review_url": Links().review, "code": None}
    yield "mail/note", _news(states, tasks=handled, **note)
    yield "mail/note", _news(states, tasks=handled, **note | {"code": CODE})
    yield "mail/note", _news(request(decided(1)), **note)
    yield "mail/outcome", _news(states)
    yield "mail/outcome", _news(request(decided(1, TaskState.DECLINED)))
    yield (
        "mail/alert",
        {
            "title": "Abiquo could not be told of a decision",
            "text": "Request 7f3c0a52, web-01: accepted by Carol Chief. 503 Service Unavailable.",
            "advice": "When Abiquo is back, run: approval redeliver 7f3c0a52",
        },
    )


def renderings() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every template that becomes a page or a part of a mail, with each context worth a try."""
    yield "page/style.css.html", {}
    for base, context in _cases():
        if base.startswith("page/"):
            yield f"{base}.html", {"style": Markup()} | context
        else:
            for part in ("subject.txt", "body.txt", "body.html"):
                yield f"{base}/{part}", context


def contexts() -> dict[str, dict[str, Any]]:
    """One context for each template that becomes a page or a part of a mail."""
    known: dict[str, dict[str, Any]] = {}
    for name, context in renderings():
        known.setdefault(name, context)
    return known

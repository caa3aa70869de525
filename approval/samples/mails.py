"""What each mail gets."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from approval.model import ApprovalRequest, Task, TaskState
from approval.samples.requests import (
    deploy,
    every_state,
    hostile,
    incomplete,
    reconfigure,
    request,
)
from approval.samples.things import BOB, CODE, DEADLINE, LAPSE, REQUEST, TOKEN, decided

ALERT = {
    "title": "Abiquo could not be told of a decision",
    "text": "Request 7f3c0a52, web-01: accepted by Carol Chief. 503 Service Unavailable.",
    "advice": "When Abiquo is back, run: approval redeliver 7f3c0a52",
}


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


def cases() -> dict[str, list[dict[str, Any]]]:
    """The contexts of each mail, the richest one of each first."""
    states = every_state()
    return {
        "request": _questions(),
        "reminder": _reminders(),
        "note": _notes(),
        "outcome": [_news(states), _news(request(decided(1, TaskState.DECLINED)))],
        "alert": [ALERT],
    }


def _questions() -> list[dict[str, Any]]:
    states, one = every_state(), deploy()
    return [
        _asking(deploy(9), shown=4),
        _asking(states),
        _asking(one),
        _asking(reconfigure()),
        _asking(reconfigure(known=False)),
        _asking(incomplete()),
        _asking(hostile()),
        _asking(one) | {"code": CODE},
        _asking(states) | {"code": CODE},
        _asking(replace(one, decline_at=LAPSE)),
        _asking(replace(states, decline_at=DEADLINE + timedelta(days=3))),
    ]


def _reminders() -> list[dict[str, Any]]:
    one = deploy()
    return [
        _asking(every_state()),
        _asking(one),
        _asking(replace(one, decline_at=LAPSE)),
        _asking(replace(deploy(9), decline_at=LAPSE), shown=4) | {"code": CODE},
    ]


def _notes() -> list[dict[str, Any]]:
    states = every_state()
    note = {"approver": BOB, "review_url": Links().review, "code": None}
    return [
        _news(states, tasks=states.handled, **note),
        _news(states, tasks=states.handled, **note | {"code": CODE}),
        _news(request(decided(1)), **note),
    ]


def _asking(asked: ApprovalRequest, shown: int = 50) -> dict[str, Any]:
    """What the message that asks gets; it shows only so many tasks."""
    waiting = asked.pending
    return {
        "request": asked,
        "approver": BOB,
        "tasks": waiting[:shown],
        "more": max(0, len(waiting) - shown),
        "links": Links(),
        "code": None,
        "deadline": DEADLINE,
        "many": len(waiting) > 1,
    }


def _news(asked: ApprovalRequest, **changes: Any) -> dict[str, Any]:
    """What the messages after a decision get."""
    return {"request": asked, "tasks": asked.tasks, "pending": len(asked.pending)} | changes

"""What each page gets."""

from dataclasses import replace
from typing import Any

from approval.model import ApprovalRequest, Decision, Delivery, TaskState
from approval.samples.requests import (
    deploy,
    every_state,
    hostile,
    incomplete,
    reconfigure,
    request,
)
from approval.samples.things import (
    BOB,
    DEADLINE,
    LAPSE,
    NOW,
    REQUEST,
    TOKEN,
    WRONG,
    decided,
)

STATE_URL = f"review?request={REQUEST}&token={TOKEN}"
ERROR = {
    "title": "Something went wrong",
    "reason": "Nothing was decided. Please try again in a few minutes.",
    "reference": "5d1c7a90",
}
BUSY = {"title": "Busy", "reason": "Please try again.", "reference": None}


def cases() -> dict[str, list[dict[str, Any]]]:
    """The contexts of each page, the richest one of each first."""
    states, one = every_state(), deploy()
    return {
        "confirm": _confirmations(),
        "review": [
            _review(states),
            _review(replace(states, decline_at=LAPSE)),
            _review(states) | {"code": True},
            _review(one),
            _review(request(decided(1))),
        ],
        "result": [_result(states), _result(one, "decline") | {"state_url": None}],
        "gone": [
            {"request": states, "tasks": states.handled, "state_url": STATE_URL, "now": NOW},
            {"request": one, "tasks": (decided(1),), "state_url": None, "now": NOW},
        ],
        "expired": [
            {"token": TOKEN, "sent": False, "later": False},
            {"token": None, "sent": True, "later": False},
            {"token": None, "sent": False, "later": True},
            {"token": None, "sent": False, "later": False},
        ],
        "barred": [{"revoked": True}, {"revoked": False}],
        "not_found": [{}],
        "error": [ERROR, BUSY],
        "home": [{}],
    }


def _confirmations() -> list[dict[str, Any]]:
    states, one = every_state(), deploy()
    return [
        _asking(states),
        _asking(one, action="decline"),
        _asking(reconfigure(), approver=None, deadline=None),
        _asking(reconfigure(known=False)),
        _asking(incomplete()),
        _asking(hostile()),
        _asking(one, code=True),
        _asking(states, code=True, problem=WRONG, comment="The budget is spent."),
        _asking(replace(one, decline_at=LAPSE)),
    ]


def _asking(asked: ApprovalRequest, **changes: Any) -> dict[str, Any]:
    """What the pages that ask get."""
    waiting = asked.pending
    return {
        "request": asked,
        "tasks": waiting,
        "settled": asked.handled,
        "action": "accept",
        "approver": BOB,
        "token": TOKEN,
        "task_ids": ",".join(one.held.id for one in waiting),
        "many": len(waiting) > 1,
        "code": False,
        "problem": "",
        "comment": "",
        "deadline": DEADLINE,
        "now": NOW,
    } | changes


def _review(asked: ApprovalRequest) -> dict[str, Any]:
    """What the page of a whole request gets."""
    waiting = asked.pending
    return {
        "request": asked,
        "pending": waiting,
        "approver": BOB,
        "token": TOKEN,
        "code": False,
        "task_ids": ",".join(one.held.id for one in waiting),
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
        "others": tuple(one for one in asked.tasks[1:] if not one.pending),
        "action": action,
        "approver": BOB,
        "state_url": STATE_URL,
        "now": NOW,
    }

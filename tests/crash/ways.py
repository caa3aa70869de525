"""The ways a task can go, from the callback until everything is at rest."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from approval.demo.cloud import Fault
from approval.model import Action
from tests.conftest import MAX
from tests.crash.stage import Stage

REFUSED = "rita@acme.example"
OLD = 60  # seconds by which the platform's clock is behind, so that no callback is waited for


@dataclass(frozen=True)
class Way:
    """What people do, in which setting."""

    name: str
    walk: Callable[[Stage], None]
    settings: str = ""


def _add_refused(stage: Stage) -> None:
    """One more manager, whose mail server refuses them: the operator has to hear of it."""
    world = stage.cloud.world
    with world.lock:
        world.add_user(world.enterprises[1], "Rita Refused", REFUSED, role="ENTERPRISE_ADMIN")
    stage.mailbox.replies = {REFUSED: "550 no such user"}


def _accepted(stage: Stage, count: int = 1) -> None:
    _add_refused(stage)
    tasks = stage.deploy(count)
    stage.rest()
    stage.press(tasks, Action.ACCEPT)
    stage.rest()


def _one_by_one(stage: Stage) -> None:
    first, second = stage.deploy(2)
    stage.rest()
    stage.press([first], Action.ACCEPT)
    stage.press([second], Action.DECLINE)
    stage.rest()


def _put_off(stage: Stage) -> None:
    later = [MAX]

    def reply(to: str) -> str | None:
        if to not in later:
            return None
        later.remove(to)
        return "451 later"

    stage.mailbox.replies = reply
    read = Fault(method="GET", path="/tasks/", status=503)  # and not what a round asks first
    stage.cloud.faults.plan(read, Fault(method="POST", status=503))
    tasks = stage.deploy()
    stage.rest()
    stage.press(tasks, Action.ACCEPT)
    stage.rest()


def _unheard(stage: Stage) -> None:
    stage.cloud.faults.plan(Fault(method="POST", after=True, drop=True))
    _accepted(stage)


def _locked_out(stage: Stage) -> None:
    stage.cloud.faults.plan(Fault(method="POST", status=401))
    _accepted(stage)


def _overtaken(stage: Stage) -> None:
    [task] = stage.deploy()
    stage.rest()
    stage.cloud.decide(task, "cancel")
    stage.press([task], Action.ACCEPT)
    stage.rest()


def _by_rule(stage: Stage) -> None:
    stage.deploy()
    stage.rest()


def _nobody(stage: Stage) -> None:
    with stage.cloud.world.lock:
        for user in stage.cloud.world.users.values():
            user.active = user.role.name != "ENTERPRISE_ADMIN"
    stage.deploy(2)
    stage.rest()


def _left_alone(stage: Stage) -> None:
    stage.deploy()
    stage.rest()
    _bring_on_all(stage, "remind")
    # The time is over at once: what was said of its length would be another each time.
    stage.change("UPDATE approval_requests SET decline_at = received_at")
    _bring_on_all(stage, "lapse")


def _bring_on_all(stage: Stage, kind: str) -> None:
    left = f"SELECT 1 FROM jobs WHERE kind = '{kind}'"  # noqa: S608 - ours
    stage.bring_on(kind, f"SELECT 1 WHERE NOT EXISTS ({left})")


def _lost(stage: Stage) -> None:
    stage.cloud.world.clock = lambda: time.time() - OLD
    stage.cloud.lose_callbacks()
    tasks = stage.hold(2)
    stage.bring_on("reconcile", "SELECT 1 FROM tasks")
    stage.press(tasks, Action.ACCEPT)
    stage.rest()


def _withdrawn(stage: Stage) -> None:
    first, second = stage.deploy(2)
    stage.rest()
    stage.press([first], Action.ACCEPT)
    stage.rest()
    stage.cloud.decide(second, "cancel")
    stage.bring_on("reconcile", "SELECT 1 FROM tasks WHERE state = 'withdrawn'")


MAIN = Way("one task, accepted", _accepted)
BATCH = Way("three tasks, all accepted at once", lambda stage: _accepted(stage, 3))
UNHEARD = Way("the platform acts and its answer is lost", _unheard)
TIMED = (
    Way(
        "reminded, then declined because nobody decided",
        _left_alone,
        "[policy]\nremind_after = 1 day\ndecline_after = 3 days",
    ),
    Way("a callback is lost and a round finds the tasks", _lost),
    Way("decided on the platform, and a round finds it", _withdrawn),
)
OTHERS = (
    Way("two tasks, one accepted, one declined", _one_by_one),
    Way("platform and mail server put off once", _put_off),
    Way("the platform refuses the account once", _locked_out),
    Way("decided on the platform before the press", _overtaken),
    Way("accepted by a rule", _by_rule, "[policy]\nguarded_types = UNDEPLOY"),
    Way("nobody to ask", _nobody),
)
WAYS = (MAIN, BATCH, UNHEARD, *TIMED, *OTHERS)

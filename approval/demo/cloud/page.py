"""The platform's own page, where people operate machines and decide tasks without the gate."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from approval import wording
from approval.demo.cloud.refusal import Refusal
from approval.demo.cloud.task import status
from approval.demo.cloud.things import Appliance
from approval.demo.cloud.workflow import Workflow
from approval.demo.cloud.world import World

SHOWN = 50  # machines of an appliance, tasks and events; the world may be large

TASK_STATES = {
    "QUEUEING": "Waiting for review",
    "PENDING": "In the queue",
    "STARTED": "Running",
    "FINISHED_SUCCESSFULLY": "Done",
    "FINISHED_UNSUCCESSFULLY": "Failed",
    "CANCELLED": "Cancelled",
    "ABORTED": "Aborted",
    "ACK_ERROR": "Failed, noted",
}
MACHINE_STATES = {
    "NOT_ALLOCATED": "Not deployed",
    "LOCKED": "Locked",
    "ON": "On",
    "OFF": "Off",
}


def create_page(world: World, workflow: Workflow) -> Blueprint:
    page = Blueprint("page", __name__)

    @page.app_template_filter()
    def clock(at: float) -> str:
        return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"

    page.add_app_template_filter(wording.size, "size")

    @page.get("/")
    def console() -> str:
        with world.lock:
            return render_template("cloud.html", notice=request.args.get("notice"), **_shown(world))

    @page.post("/machines/<int:id>/<any(deploy,undeploy,reconfigure):do>")
    def operate(id: int, do: str) -> ResponseReturnValue:
        with world.lock:
            machine = world.machine(id)
            if do == "reconfigure":
                workflow.reconfigure(machine, machine.user, **_wanted())
            else:
                getattr(workflow, do)(machine, machine.user)
        return redirect("/", 303)

    @page.post("/appliances/<int:id>/<any(deploy,undeploy):do>")
    def operate_all(id: int, do: str) -> ResponseReturnValue:
        with world.lock:
            machines = world.appliances[id].machines if id in world.appliances else []
            _all(workflow, do)(machines, machines[0].user if machines else abort(404))
        return redirect("/", 303)

    @page.post("/tasks/<id>/<any('continue',cancel):choice>")
    def decide(id: str, choice: str) -> ResponseReturnValue:
        workflow.decide(world.task(id), "continue" if choice == "continue" else "cancel")
        return redirect("/", 303)

    @page.errorhandler(Refusal)
    def refuse(error: Refusal) -> ResponseReturnValue:
        return redirect(f"/?notice={error.code}: {error.message}", 303)

    return page


def _all(workflow: Workflow, do: str) -> Callable[..., Any]:
    return workflow.deploy_all if do == "deploy" else workflow.undeploy_all


def _wanted() -> dict[str, int]:
    sent = {name: request.form.get(name, type=int) for name in ("cpu", "ram")}
    return {name: value for name, value in sent.items() if value and 0 < value <= 2**20}


def _shown(world: World) -> dict[str, Any]:
    """Everything the page shows, as finished values."""
    now = world.clock()
    tasks = islice(reversed(world.tasks.values()), SHOWN)
    return {
        "appliances": [_appliance(appliance, now) for appliance in world.appliances.values()],
        "tasks": [(task, state, TASK_STATES.get(state, state))
                  for task in tasks for state in [task.state(now)]],
        "waiting": len(world.undecided),
        "events": list(islice(reversed(world.events), SHOWN)),
        "version": world.personality.version,
    }  # fmt: skip


def _appliance(appliance: Appliance, now: float) -> dict[str, Any]:
    machines = [
        (machine, state, MACHINE_STATES.get(state, state))
        for machine in appliance.machines[:SHOWN]
        for state in [status(machine, now)]
    ]
    states = {state for _, state, _ in machines}
    return {
        "thing": appliance,
        "machines": machines,
        "more": len(appliance.machines) - len(machines),
        "deployable": "NOT_ALLOCATED" in states,
        "deployed": bool(states & {"ON", "OFF"}),
    }

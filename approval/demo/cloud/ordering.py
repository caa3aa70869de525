"""What can be done through the API: decide tasks, and begin operations that make some."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from flask import request
from lxml import etree

from approval.demo.cloud import reading, refusal
from approval.demo.cloud.lookup import Lookup
from approval.demo.cloud.refusal import Refusal
from approval.demo.cloud.task import Task
from approval.demo.cloud.things import User
from approval.demo.cloud.workflow import Workflow

# Answers with the tasks that began, or with None for an empty answer.
Order = Callable[..., Sequence[Task] | None]

CHANGEABLE: dict[str, Callable[[str], Any]] = {
    "cpu": int,
    "ram": int,
    "label": str,
    "description": str,
}


def decide(
    workflow: Workflow, caller: User, find: Lookup, vdc: int, vapp: int, vm: int, task: str, do: str
) -> None:
    found = find.task(vdc, vapp, vm, task)
    own_cancel = do == "cancel" and found.user is caller
    if not (caller.may("WORKFLOW_OVERRIDE") or own_cancel):
        raise refusal.not_permitted()
    if do == "ack":
        workflow.acknowledge(found)
    elif do in ("continue", "cancel"):
        workflow.decide(found, "continue" if do == "continue" else "cancel", message=_message())
    else:
        raise refusal.no_such("action", "404-NOT FOUND")


def _message() -> str | None:
    """Only plain text is a message; anything else that clients send is let pass."""
    return request.get_data(as_text=True) if request.mimetype == "text/plain" else None


def operate(
    workflow: Workflow, caller: User, find: Lookup, vdc: int, vapp: int, vm: int, do: str
) -> Sequence[Task]:
    machine = find.machine(vdc, vapp, vm)
    return {"deploy": workflow.deploy, "undeploy": workflow.undeploy}[do](machine, caller)


def operate_all(
    workflow: Workflow, caller: User, find: Lookup, vdc: int, vapp: int, do: str
) -> Sequence[Task]:
    machines = find.appliance(vdc, vapp).machines
    return {"deploy": workflow.deploy_all, "undeploy": workflow.undeploy_all}[do](machines, caller)


def change(
    workflow: Workflow, caller: User, find: Lookup, vdc: int, vapp: int, vm: int
) -> Sequence[Task] | None:
    """A machine that is not deployed is changed on the spot, without a task."""
    machine = find.machine(vdc, vapp, vm)
    sent = _sent()
    try:
        values = {name: read(sent[name]) for name, read in CHANGEABLE.items() if sent.get(name)}
    except ValueError as error:
        raise _malformed() from error
    return workflow.reconfigure(machine, caller, **values) or None


def _sent() -> dict[str, Any]:
    try:
        if "xml" in request.mimetype:
            parser = etree.XMLParser(resolve_entities=False, no_network=True)
            return {str(field.tag): field.text for field in etree.fromstring(request.data, parser)}
        sent = json.loads(request.data)
    except (ValueError, etree.XMLSyntaxError) as error:
        raise _malformed() from error
    if not isinstance(sent, dict):
        raise _malformed()
    return sent


def _malformed() -> Refusal:
    return Refusal(400, "400-BAD REQUEST", "Malformed document")


OPERATION = "/action/<any(deploy,undeploy):do>"

ROUTES: dict[tuple[str, str], Order] = {
    ("POST", f"{reading.MACHINE}/tasks/<task>/action/<do>"): decide,
    ("POST", f"{reading.MACHINE}{OPERATION}"): operate,
    ("POST", f"{reading.APPLIANCE}{OPERATION}"): operate_all,
    ("PUT", reading.MACHINE): change,
}

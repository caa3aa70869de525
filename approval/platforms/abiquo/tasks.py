"""A task as the platform writes it, in callbacks and in answers, to our HeldTask."""

import re
from datetime import UTC, datetime

from approval.model import HeldTask
from approval.platforms.abiquo import hrefs
from approval.platforms.abiquo.documents import Document
from approval.platforms.abiquo.hrefs import HrefError

TYPE = re.compile("[A-Za-z0-9_]{1,64}")
SECONDS = range(946_684_800, 4_102_444_800)  # the years 2000 to 2099


class TaskError(ValueError):
    """Raised if a task lacks what is needed to decide it; says which field."""


def held_task(document: Document, root: str, user: str | None = None) -> HeldTask:
    """Read one task. Every link comes from its own element and is about one machine.

    `user` is the path to take where the task does not say who asked for it.
    """
    try:
        return _held_task(document, root, user)
    except HrefError as error:
        raise TaskError(str(error)) from error


def _held_task(document: Document, root: str, user: str | None) -> HeldTask:
    task_id = _field(document, "taskId", hrefs.TASK_ID)
    # A callback calls the machine target; a task that is read by itself, virtualmachine.
    machine_rel = "target" if document.links_to("target") else "virtualmachine"
    target = hrefs.shaped(_href(document, machine_rel), hrefs.MACHINE, root)
    if user is None or document.links_to("user"):
        user = hrefs.shaped(_href(document, "user"), hrefs.USER, root)
    links = {"target": target, "user": user, "self": f"{target}/tasks/{task_id}"}
    for rel in ("continue", "cancel"):
        links[rel] = f"{links['self']}/action/{rel}"
        _agree(document, rel, links[rel], root)
    if document.links_to("self"):
        _agree(document, "self", links["self"], root)
    return HeldTask(
        id=task_id,
        type=_field(document, "type", TYPE),
        requester=user,
        links=links,
        held_since=_held_since(document),
    )


def _field(document: Document, name: str, shape: re.Pattern[str]) -> str:
    value = document.text(name)
    if value is None:
        raise TaskError(f"{name} is missing or there twice")
    if not shape.fullmatch(value):
        raise TaskError(f"{name} is {value[:80]!a}")
    return value


def _href(document: Document, rel: str) -> str:
    found = document.links_to(rel)
    if len(found) != 1:
        raise TaskError(f"{len(found) or 'no'} {rel} link{'s' if found else ''} instead of one")
    return found[0].href


def _agree(document: Document, rel: str, path: str, root: str) -> None:
    """What the platform wrote must be the one path that this task and machine can have."""
    if hrefs.path_of(_href(document, rel), root) != path:
        raise TaskError(f"the {rel} link is not of this task and machine")


def _held_since(document: Document) -> datetime | None:
    for name in ("creationTimestamp", "timestamp"):
        seconds = document.number(name)
        if seconds is not None and seconds in SECONDS:
            return datetime.fromtimestamp(seconds, UTC)
    return None

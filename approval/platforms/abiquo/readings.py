"""Where a task stands, from the record that the platform keeps of it."""

from dataclasses import replace

from approval.model import HeldTask, PlatformState, Reading
from approval.platforms import PlatformError
from approval.platforms.abiquo.documents import Document
from approval.platforms.abiquo.tasks import TaskError, held_task

HELD = "QUEUEING"
CANCELLED = {"CANCELLED", "ABORTED"}
CONTINUED = {"PENDING", "STARTED", "ACK_ERROR"}  # the last: it failed and somebody knows
FINISHED = "FINISHED_"


def read_back(task: HeldTask, document: Document, root: str) -> Reading:
    """Where our task stands. Raises PlatformError if the record does not tell."""
    call = f"GET {task.links['self']}"
    if document.text("taskId") != task.id:
        raise PlatformError(f"{call}: the answer is about another task", alert=True)
    state = document.text("state") or ""
    if state in CANCELLED:
        return Reading(PlatformState.CANCELLED)
    if state in CONTINUED or state.startswith(FINISHED):
        return Reading(PlatformState.CONTINUED)
    if document.links_to("continue") or document.links_to("cancel"):
        return Reading(PlatformState.HELD, _fresh(task, document, root, call))
    if state == HELD:
        # Without the privilege the links are left out; the task still waits.
        raise PlatformError(
            f"{call}: the task is held but not for our account to decide; "
            "does it have the privilege to manage workflow tasks?",
            alert=True,
        )
    raise PlatformError(f"{call}: the state {state[:40]!r} is not understood", alert=True)


def _fresh(task: HeldTask, document: Document, root: str, call: str) -> HeldTask:
    try:
        fresh = held_task(document, root, user=task.links["user"])
    except TaskError as error:
        raise PlatformError(f"{call}: the answer cannot be read: {error}", alert=True) from error
    return replace(fresh, held_since=fresh.held_since or task.held_since)

"""Callback bodies to tasks."""

from collections.abc import Mapping

from approval.model import Callback, HeldTask
from approval.platforms import CallbackError
from approval.platforms.abiquo.documents import Document, DocumentError, parse
from approval.platforms.abiquo.hrefs import DEFAULT_ROOT
from approval.platforms.abiquo.tasks import TaskError, held_task

MAX_TASKS = 500


def read(body: bytes, headers: Mapping[str, str], root: str = DEFAULT_ROOT) -> Callback:
    """Read a callback: a collection of tasks or one bare task, in XML or JSON.

    Raises CallbackError if anything is wrong with any task: a callback counts as a whole.
    """
    _refuse_encoded(headers)
    documents = _documents(body)
    if not 1 <= len(documents) <= MAX_TASKS:
        raise CallbackError(f"{len(documents)} tasks where 1 to {MAX_TASKS} belong")
    tasks = tuple(_task(number, documents, root) for number in range(1, len(documents) + 1))
    _refuse_repeated(tasks)
    _refuse_several_requesters(tasks)
    return Callback(tasks)


def _refuse_encoded(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if name.lower() == "content-encoding" and value.strip().lower() not in ("", "identity"):
            raise CallbackError(f"Content-Encoding {value[:40]!a} is not understood")


def _documents(body: bytes) -> list[Document]:
    try:
        document = parse(body)
    except DocumentError as error:
        raise CallbackError(str(error)) from error
    if document.tag not in ("tasks", "task", None):
        raise CallbackError(f"the element is {document.tag[:40]!a}, not tasks or task")
    items = document.items("task")
    return [document] if items is None else items


def _task(number: int, documents: list[Document], root: str) -> HeldTask:
    document = documents[number - 1]
    try:
        return held_task(document, root)
    except TaskError as error:
        place = _place(number, len(documents), document.text("taskId") or "without id")
        raise CallbackError(f"{place}: {error}") from error


def _place(number: int, count: int, task_id: str) -> str:
    return f"task {number} of {count} ({task_id[:80]!a})"


def _refuse_repeated(tasks: tuple[HeldTask, ...]) -> None:
    seen: set[str] = set()
    for number, task in enumerate(tasks, 1):
        if task.id in seen:
            place = _place(number, len(tasks), task.id)
            raise CallbackError(f"{place}: taskId is repeated")
        seen.add(task.id)


def _refuse_several_requesters(tasks: tuple[HeldTask, ...]) -> None:
    """The platform announces what one person asked for; approvers decide it as that."""
    for number, task in enumerate(tasks, 1):
        if task.links["user"] != tasks[0].links["user"]:
            place = _place(number, len(tasks), task.id)
            raise CallbackError(f"{place}: the user link is not that of the first task")

"""Tasks as documents."""

from collections.abc import Sequence

from approval.demo.cloud.documents.document import Document, Fields, Link
from approval.demo.cloud.task import FAILED, HELD, Task


def task(task: Task, now: float) -> Document:
    """A task as its own address shows it."""
    user = Link("user", task.user.path, "user", task.user.nick)
    target = Link("virtualmachine", task.machine.path, "virtualmachine", task.machine.label)
    parent = Link("parent", f"{task.machine.path}/tasks", "tasks")
    return _task(task, now, [parent, user, target])


def announced_task(task: Task, now: float, *, user_titles: bool = True) -> Document:
    """A task as callbacks and lists of pending tasks show it: the machine is its `target`."""
    titled = ("user", task.user.nick) if user_titles else (None, None)
    links = [
        Link("parent", task.machine.path),
        Link("target", task.machine.path),
        Link("user", task.user.path, *titled),
    ]
    return _task(task, now, links)


def tasks(items: Sequence[Document], *, total: int | None = None, at: str = "") -> Document:
    links = [Link("self", f"{at}/action/pendingtasks"), Link("parent", at)] if at and items else []
    return Document("tasks", "tasks", links=links, items=items, total=total)


def _task(task: Task, now: float, links: list[Link]) -> Document:
    state = task.state(now)
    fields: Fields = {
        "taskId": task.id,
        "ownerId": str(task.machine.id),
        "userId": str(task.user.id),
        "type": task.type,
        "state": state,
        "timestamp": int(task.changed(now)),
        "creationTimestamp": int(task.created),
        "jobs": Document("jobs", "jobs", items=_jobs(task, state)),
    }
    return Document("task", "task", fields, [Link("self", task.path), *links, *_ways(task, state)])


def _ways(task: Task, state: str) -> list[Link]:
    """What can be done with the task: once it is decided, its two links are gone."""
    if state == HELD:
        return [
            Link("cancel", f"{task.path}/action/cancel"),
            Link("continue", f"{task.path}/action/continue"),
        ]
    return [Link("acknowledge", f"{task.path}/action/ack")] if state == FAILED else []


def _jobs(task: Task, state: str) -> list[Document]:
    job_state = {"FINISHED_SUCCESSFULLY": "DONE", FAILED: "FAILED"}.get(state, "PENDING")
    return [
        Document("job", "job", {
            "id": id,
            "parentTaskId": task.id,
            "type": type,
            "state": job_state,
            "rollbackState": "UNKNOWN",
            "description": f"{task.type.capitalize()} task's {type.lower().replace('_', ' ')}"
            f" on virtual machine with id {task.machine.id}",
            "timestamp": int(task.created),
            "creationTimestamp": int(task.created),
        })
        for id, type in task.jobs()
    ]  # fmt: skip


def accepted(tasks: Sequence[Task]) -> Document:
    """The answer to a request that began tasks."""
    links = [Link("status", task.path, "task") for task in tasks]
    text = "You can keep track of the progress in the link"
    return Document("acceptedrequest", "acceptedrequest", {"entity": text}, links)

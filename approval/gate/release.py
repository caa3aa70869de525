"""Release a task: tell the platform what was decided, until it is known to have heard."""

from datetime import datetime

from approval.gate import Record, nothing, settle
from approval.gate.doubt import COMMIT_TIME, wait_for
from approval.model import Action, Delivery, Job, PlatformState, Task, TaskState
from approval.platforms import Platform, PlatformError
from approval.store import machines, tasks, trail
from approval.store.database import Database
from approval.store.session import Session

ACTIONS = {TaskState.ACCEPTED: Action.ACCEPT, TaskState.DECLINED: Action.DECLINE}
EFFECTS = {Action.ACCEPT: PlatformState.CONTINUED, Action.DECLINE: PlatformState.CANCELLED}
OVERTAKEN_BY = {
    PlatformState.CONTINUED: "it was continued there before",
    PlatformState.CANCELLED: "it was cancelled there before",
    PlatformState.GONE: "the platform no longer knows it",
}


class Release:
    """The handler of `release` jobs; their subject is a task."""

    def __init__(self, database: Database, platform: Platform, *, notify_requester: bool) -> None:
        self._database = database
        self._platform = platform
        self._notify_requester = notify_requester

    def __call__(self, job: Job, now: datetime) -> Record:
        """Post if it is sure that nothing was posted yet, else look first. Raises PlatformError."""
        with self._database.read() as session:
            task = tasks.load(session, int(job.subject))
        if task is None or task.delivery is not Delivery.WAITING:
            return nothing
        if job.attempts > 1 or job.run > 0:
            state = self._look(task)
            if state is not PlatformState.HELD:
                return self._ended(job, task, state, now)
        action = ACTIONS[task.state]
        try:
            self._platform.release(task.held, action, _message(task), _key(job, task))
        except PlatformError as error:
            if not error.permanent:
                raise
            return self._explain(job, task, error, now)
        return self._delivered(job, task, f"{self._platform.title} was told to {action.value}")

    def _explain(self, job: Job, task: Task, refusal: PlatformError, now: datetime) -> Record:
        """Find out why the platform refused: most often somebody was there before us."""
        state = self._look(task)
        if state is PlatformState.HELD:
            raise refusal
        return self._ended(job, task, state, now)

    def _look(self, task: Task) -> PlatformState:
        """Where the task stands. That it cannot be told now is no reason to give a decision up."""
        try:
            return self._platform.look(task.held).state
        except PlatformError as error:
            if not error.permanent:
                raise
            raise PlatformError(str(error), alert=True) from error

    def _ended(self, job: Job, task: Task, state: PlatformState, now: datetime) -> Record:
        if state is PlatformState.GONE:
            why = f"{self._platform.title} no longer knows the task"
            wait_for("task", COMMIT_TIME, job, now, why)
            raise PlatformError(why, permanent=True)
        if state is EFFECTS[ACTIONS[task.state]]:
            return self._delivered(job, task, f"{self._platform.title} had it {state} already")
        return self._overtaken(job, task, state)

    def _delivered(self, job: Job, task: Task, text: str) -> Record:
        name, request_id = self._platform.name, str(job.request_id)
        return lambda session, now: delivered(session, name, request_id, task, text, now)

    def _overtaken(self, job: Job, task: Task, state: PlatformState) -> Record:
        notify, request_id = self._notify_requester, str(job.request_id)
        return lambda session, now: overtaken(
            session, request_id, task, state, now, requester=notify
        )


def delivered(
    session: Session, platform: str, request_id: str, task: Task, text: str, now: datetime
) -> None:
    """Record that the platform does as was decided."""
    tasks.deliver(session, task.id, Delivery.DELIVERED, "", now)
    trail.record(session, request_id, "delivered", text, now, task_id=task.id)
    if task.state is TaskState.ACCEPTED and task.machine is not None:
        machines.remember(session, platform, task.machine, now)


def overtaken(
    session: Session,
    request_id: str,
    task: Task,
    state: PlatformState,
    now: datetime,
    *,
    requester: bool,
) -> None:
    """Record that the task had ended otherwise on the platform, and who has to hear of it."""
    note = OVERTAKEN_BY[state]
    tasks.deliver(session, task.id, Delivery.OVERTAKEN, note, None)
    trail.record(session, request_id, "overtaken", note, now, task_id=task.id)
    settle.spread(session, request_id, now, requester=requester)


def _key(job: Job, task: Task) -> str:
    """Not the job's own: what was told and is told again, by another job, is the same call."""
    return f"{job.request_id}.{task.id}.{job.run}"


def _message(task: Task) -> str:
    """What the platform shows in its events."""
    if task.decision is None:
        raise AssertionError(f"task {task.id} is released without a decision")
    because = f": {task.decision.reason}" if task.decision.reason else ""
    return f"{task.state.capitalize()} by {task.decision.by}{because}"

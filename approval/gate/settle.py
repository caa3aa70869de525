"""Settle a task: the one place where a decision is made, and who has to hear of it."""

from datetime import datetime, timedelta

from approval.audit import testimony
from approval.model import Action, Approver, Decision, Delivery, Task, TaskState
from approval.store import jobs, people, requests, tasks, trail
from approval.store.session import Session

# Several decisions on one request within this time are told in one mail.
COLLECT = timedelta(minutes=2)
STATES = {Action.ACCEPT: TaskState.ACCEPTED, Action.DECLINE: TaskState.DECLINED}


def decide(
    session: Session,
    request_id: str,
    task: Task,
    action: Action,
    decision: Decision,
    voter: Approver | None = None,
) -> bool:
    """Decide a pending task and promise to tell the platform; False if it was decided before.

    `voter` is the person who decided. The trail alone names the address too: people know each
    other by name, and an auditor has to tell two of the same name apart.
    """
    state = STATES[action]
    if not tasks.settle(session, task.id, state, decision, Delivery.WAITING):
        return False
    by = testimony.person(voter.name, voter.address) if voter else decision.by
    text = testimony.decided(by, decision.reason)
    trail.record(session, request_id, state, text, decision.at, task_id=task.id)
    jobs.add(session, jobs.Kind.RELEASE, task.id, request_id, decision.at)
    return True


def withdraw(session: Session, request_id: str, task: Task, decision: Decision) -> bool:
    """Note that a pending task ended on the platform, without us."""
    if not tasks.settle(session, task.id, TaskState.WITHDRAWN, decision, None):
        return False
    trail.record(
        session, request_id, TaskState.WITHDRAWN, decision.reason, decision.at, task_id=task.id
    )
    return True


def spread(
    session: Session,
    request_id: str,
    now: datetime,
    *,
    requester: bool,
    but: int | None = None,
) -> None:
    """Promise to tell the requester, and every approver but one, where the request stands."""
    closed = requests.close_if_decided(session, request_id, now)
    if closed:
        jobs.drop_of_closed(session, request_id)
    due = now if closed else now + COLLECT
    if requester:
        jobs.add(session, jobs.Kind.OUTCOME, request_id, request_id, now, due)
    for approver in people.approvers(session, request_id):
        if approver.id != but and not approver.revoked:
            jobs.add(session, jobs.Kind.NOTE, approver.id, request_id, now, due)

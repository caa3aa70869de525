"""Trouble: what becomes of a job that did not work, and how the operator hears of it."""

from collections.abc import Collection
from datetime import datetime, timedelta

from approval.failures import Failure
from approval.model import Delivery, Job, MailState
from approval.store import alerts, holders, jobs, people, tasks, trail
from approval.store.session import Session

# The same trouble of a thousand jobs is one mail.
TELL_AGAIN_AFTER = timedelta(hours=1)
# A restart of the other side is no trouble.
TOLD_AFTER = timedelta(minutes=3)
TRIES = 4
NAMED = 50  # requests in one alert
WHAT = {
    jobs.Kind.CONSIDER: "A new request could not be looked up on the platform",
    jobs.Kind.RELEASE: "The platform could not be told of a decision",
    jobs.Kind.ASK: "An approver could not be asked by mail",
    jobs.Kind.OUTCOME: "A requester could not be told the outcome",
    jobs.Kind.NOTE: "An approver could not be told of a decision",
    jobs.Kind.REMIND: "An approver could not be reminded by mail",
    jobs.Kind.LAPSE: "Tasks that nobody decided in time could not be declined",
    jobs.Kind.ALERT: "The operator could not be told of a trouble",
    jobs.Kind.RECONCILE: "What the platform holds could not be compared with what is known here",
    jobs.Kind.PURGE: "Personal data that is too old could not be removed",
}


class UnknownTasks(Exception):
    """Raised if the gate was never told of tasks that somebody named."""


def raise_alert(
    session: Session,
    key: str,
    title: str,
    text: str,
    advice: str,
    now: datetime,
    *,
    insist: bool = False,
    again: timedelta = TELL_AGAIN_AFTER,
) -> None:
    """Promise to tell the operator, at most once an hour for each key, or as seldom as `again`.

    Later troubles of the same kind are dropped, or with `insist` told when the hour is over.
    """
    told_at = alerts.note(session, key, title, text, advice, now)
    if told_at is None or now - told_at >= again:
        jobs.add(session, jobs.Kind.ALERT, key, None, now, renew=False)
    elif insist:
        due = told_at + TELL_AGAIN_AFTER
        jobs.add(session, jobs.Kind.ALERT, key, None, now, due, renew=False)


def on_failure(session: Session, job: Job, failure: Failure, now: datetime) -> None:
    """Note that a job failed and will be tried again; long or curable trouble is told."""
    if job.error is None and job.request_id:
        trail.record(session, job.request_id, "failed", f"{job.kind}: {failure}", now)
    if job.kind != jobs.Kind.ALERT and _is_trouble(job, failure, now):
        raise_alert(
            session,
            f"failing-{job.kind}",
            WHAT[jobs.Kind(job.kind)],
            f"{failure}. Nothing is lost: it is tried again.",
            "'approval check' tries the platform, the mail server and the settings, and says "
            "what to do. There may be more of the same; this is told once an hour.",
            now,
        )


def _is_trouble(job: Job, failure: Failure, now: datetime) -> bool:
    """Whether the operator should hear of a failure that may mend itself."""
    if failure.alert or now - job.made_at >= TOLD_AFTER:
        return True
    return job.attempts >= TRIES and failure.retry_after is None  # else it was asked to wait


def on_park(session: Session, job: Job, failure: Failure, now: datetime) -> None:
    """Note that a job was set aside for the operator, and tell them."""
    key = f"parked-{job.kind}"
    whose = f"Request {job.request_id}: " if job.request_id else ""
    text = f"{whose}{failure}. It is not tried again by itself."
    if job.request_id:
        trail.record(session, job.request_id, "parked", f"{job.kind}: {failure}", now)
    if job.kind == jobs.Kind.RELEASE:
        delivery = Delivery.REFUSED if failure.permanent else Delivery.FAILED
        tasks.deliver(session, int(job.subject), delivery, failure.said, None)
        text += " If the task has ended there, reconciling ends it here and tells people."
    if job.kind == jobs.Kind.ASK and not _somebody_is_asked(session, job, now):
        key = "nobody-asked"  # worse than one address that is refused, so told by itself
        text += " Nobody else is asked, so its tasks stay pending."
    if job.kind != jobs.Kind.ALERT:
        raise_alert(
            session,
            key,
            WHAT[jobs.Kind(job.kind)],
            text,
            "When the cause is mended, 'approval redeliver' takes it up again, with all "
            "others that wait for you.",
            now,
            insist=True,
        )


def _somebody_is_asked(session: Session, job: Job, now: datetime) -> bool:
    """Note that this approver cannot be mailed; says whether another one can."""
    approver = people.approver(session, int(job.subject))
    if approver is None:
        return False
    if approver.mailed_at is None:  # else an earlier mail came through
        people.not_mailed(session, approver.id, MailState.REFUSED)
    return not holders.is_left_alone(session, approver.request_id)


def alert_if_nobody_is_left(session: Session, request_ids: Collection[str], now: datetime) -> None:
    """Tell the operator if one of these requests stays pending because nobody's links decide.

    They are told of all such requests, these first, for of several alerts the last one stands.
    """
    these, left = set(request_ids), holders.left_alone(session)
    if not these.isdisjoint(left):
        left.sort(key=lambda request_id: request_id not in these)
        named = ", ".join(left[:NAMED]) + (" and others" if len(left) > NAMED else "")
        raise_alert(
            session,
            "nobody-left",
            "Nobody is left who can decide a request",
            f"Request {named}: the links of all who were asked are withdrawn or "
            "locked, or their mail was refused. Nobody can decide its tasks here.",
            "Let somebody's links decide again with 'approval revoke --lift --request ID "
            "--person ADDRESS', or decide on the platform.",
            now,
            insist=True,
        )


def redeliver(
    session: Session, task_ids: list[str] | None, platform: str, now: datetime
) -> list[str]:
    """Take up parked jobs again: all, or the releases of these platform task ids.

    Returns what was taken up, in words. Raises UnknownTasks, and then takes up nothing.
    """
    subjects = None if task_ids is None else _subjects(session, task_ids, platform)
    kinds = [jobs.Kind.RELEASE] if task_ids is not None else list(jobs.Kind)
    taken = jobs.take_up(session, kinds, subjects, now)
    for row in taken:
        if row.kind == jobs.Kind.RELEASE:
            tasks.deliver(session, int(row.subject), Delivery.WAITING, "", None)
        if row.request_id:
            trail.record(session, row.request_id, "redelivered", row.kind, now)
    return [
        f"{row.kind} of request {row.request_id}" if row.request_id else row.kind for row in taken
    ]


def _subjects(session: Session, task_ids: list[str], platform: str) -> list[str]:
    """The tasks of these names as jobs name them."""
    found = {id: tasks.find(session, platform, id) for id in task_ids}
    if unknown := [id for id, task in found.items() if task is None]:
        raise UnknownTasks(", ".join(unknown))
    return [str(task[1]) for task in found.values() if task]

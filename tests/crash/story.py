"""What everybody concerned has seen in the end, and what of it must not be."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tests.crash.stage import Stage
from tests.fakes import OPERATOR

STATES = {"accept": "accepted", "decline": "declined"}
CALLS = {"accepted": "continue", "declined": "cancel"}
EFFECTS = {"accepted": "continuation", "declined": "cancellation"}


@dataclass(frozen=True)
class Story:
    """What happened, without order, ids and repeats: the same whether the gate died or not."""

    events: Counter[tuple[object, ...]]
    mails: Counter[tuple[str, str]]
    tasks: Counter[tuple[object, ...]]
    votes: Counter[tuple[object, ...]]
    jobs: Counter[tuple[object, ...]]


def told(stage: Stage) -> Story:
    """The story as store and mailbox tell it."""
    events = [
        (kind, _without_ids(kind, text))
        for kind, text in stage.rows("SELECT kind, text FROM events")
    ]
    mails = {mail.message["Message-ID"]: (mail.to, mail.subject) for mail in stage.mails.all()}
    tasks = stage.rows("SELECT state, delivery, decided_by, reason FROM tasks")
    if any("overtaken" in task for task in tasks):
        # Whether people read of the decision before they read that it came too late is a race.
        events = [event for event in events if event[0] != "told"]
        mails = {to: (to, subject) for to, subject in mails.values()}
    return Story(
        Counter(events),
        Counter(mails.values()),
        Counter(tasks),
        Counter(stage.rows("SELECT approver_id, action, comment FROM votes")),
        Counter(stage.rows("SELECT kind, parked_at IS NULL FROM jobs")),
    )


def _without_ids(kind: str, text: str) -> str:
    """What an event says, without ids, and without the way in which the same came about."""
    if kind == "delivered":
        return ""
    if kind == "verified":
        return text.partition("; task ")[0]
    return text.partition(":")[0] if kind in ("received", "failed") else text


def differences(story: Story, wanted: Story) -> Iterator[str]:
    """Where a story is not the one that is told when nothing dies.

    A failure that nobody lived to write down is no part of it, and the operator is not told of it.
    """
    unwritten = any(kind == "failed" for kind, *_ in wanted.events - story.events)
    for name in ("events", "mails", "tasks", "votes", "jobs"):
        found, expected = getattr(story, name), getattr(wanted, name)
        optional = {"failed", OPERATOR} if unwritten else set()
        missing = (each for each in (expected - found).elements() if each[0] not in optional)
        yield from (f"missing in {name}: {each}" for each in missing)
        yield from (f"too much in {name}: {each}" for each in (found - expected).elements())


def broken(stage: Stage) -> Iterator[str]:
    """Promises that were not kept, whatever the story is."""
    yield from _forgotten(stage)
    yield from _decisions(stage)
    yield from _order(stage)
    yield from _mails(stage)
    if "Traceback" in (stage.folder / "log").read_text("utf-8"):
        yield "the log holds a traceback"


def repeats(stage: Stage) -> int:
    """How many calls and mails came more than once."""
    ids = [mail.message["Message-ID"] for mail in stage.mails.all()]
    keys = [call.headers["Idempotency-Key"] for call in stage.cloud.calls if call.method == "POST"]
    return len(ids) - len(set(ids)) + len(keys) - len(set(keys))


def _forgotten(stage: Stage) -> Iterator[str]:
    known = {task for (task,) in stage.rows("SELECT platform_task_id FROM tasks")}
    yield from (f"forgotten though answered: {task}" for task in set(stage.answered) - known)
    bodies = b"".join(body for (body,) in stage.rows("SELECT payload FROM approval_requests"))
    yield from (f"half forgotten: {task}" for task in stage.forgotten if task.encode() in bodies)
    undecided = stage.rows(
        "SELECT id FROM approval_requests r WHERE (closed_at IS NULL) <> EXISTS"
        " (SELECT 1 FROM tasks t WHERE t.request_id = r.id AND t.state = 'pending')"
    )
    yield from (f"closed while pending or open while decided: {id}" for (id,) in undecided)


def _decisions(stage: Stage) -> Iterator[str]:
    rows = stage.rows("SELECT platform_task_id, state, delivery = 'overtaken' FROM tasks")
    states = {task: state for task, state, _ in rows}
    for task, action in stage.shown:
        if states.get(task) != STATES[action]:
            yield f"shown as {action}, but {states.get(task)}: {task}"
    calls, keys = defaultdict(set), defaultdict(set)
    for call in stage.cloud.calls:
        if call.method == "POST":
            task, _, choice = call.path.split("/")[-3:]
            calls[task].add(choice)
            keys[task].add(call.headers["Idempotency-Key"])
    for task, state, overtaken in rows:
        # Who asks first after a kill sees that the platform decided, and need not tell it.
        wanted = {CALLS[state]} if state in CALLS else set()
        if calls[task] != wanted and (calls[task] or not overtaken):
            yield f"{state}, and the platform was told {sorted(calls[task])}: {task}"
        if len(keys[task]) > 1:
            yield f"told under {len(keys[task])} keys: {task}"
    yield from _effects(stage, states)


def _effects(stage: Stage, states: dict[str, str]) -> Iterator[str]:
    """What the platform did is what was decided, once."""
    delivered = {
        task
        for (task,) in stage.rows("SELECT platform_task_id FROM tasks WHERE delivery='delivered'")
    }
    for task in delivered:
        done = [e.text for e in stage.cloud.events if e.task == task and "successful" in e.text]
        if len(done) != 1 or EFFECTS[states[task]] not in done[0]:
            yield f"{states[task]}, but the platform did {done}: {task}"


def _order(stage: Stage) -> Iterator[str]:
    """Each step of a request once, and none before those that it follows from."""
    trails = defaultdict(list)
    for request, task, kind in stage.rows(
        "SELECT request_id, task_id, kind FROM events ORDER BY id"
    ):
        trails[request].append((task, kind))
    for request, trail in trails.items():
        kinds = [kind for _, kind in trail]
        if kinds[0] != "received" or kinds.count("received") > 1 or kinds.count("asked") > 1:
            yield f"the trail of {request} begins {kinds[:3]}"
        if "asked" in kinds and "mailed" in kinds and kinds.index("mailed") < kinds.index("asked"):
            yield f"mailed before asked: {request}"
        for task in {task for task, _ in trail if task}:
            of_task = [kind for each, kind in trail if each == task]
            once = of_task[0] in (*CALLS, "withdrawn") and of_task[1:] in (
                [], ["delivered"], ["overtaken"]
            )  # fmt: skip
            if not once:
                yield f"the trail of task {task} is {of_task}"


def _mails(stage: Stage) -> Iterator[str]:
    """One Message-ID is one mail to one person."""
    seen: dict[str, tuple[str, str]] = {}
    for mail in stage.mails.all():
        here = (mail.to, mail.subject)
        if seen.setdefault(mail.message["Message-ID"], here) != here:
            yield f"two mails under one Message-ID: {here}"
    waits = stage.rows("SELECT address FROM approvers WHERE mail = 'waiting'")
    yield from (f"never asked: {address}" for (address,) in waits)

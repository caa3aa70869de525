"""Deliveries in doubt: decisions that the platform may or may not have heard."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from approval.clock import Clock
from approval.gate import Say, trouble
from approval.gate.looks import Looks
from approval.gate.release import ACTIONS, EFFECTS, delivered, overtaken
from approval.model import Delivery, PlatformState, Task, TaskState
from approval.platforms import Platform
from approval.store import jobs, locks, reconciling, tasks, trail
from approval.store.database import Database
from approval.store.reconciling import Standing, Undelivered

PAGE = 100  # decisions of a kind in one round; the next one sees to the others
LONG = timedelta(minutes=10)  # after which a decision should have reached the platform
FORGOTTEN = timedelta(hours=1)  # after which the platform will not know the task again
TOLD = timedelta(days=1)  # between two mails about what still waits for the operator
NAMED = 5  # tasks in one mail
ENDS = {PlatformState.CONTINUED, PlatformState.CANCELLED}


class Deliveries:
    """Finds out what became of decisions, and settles what can be settled."""

    def __init__(
        self, database: Database, platform: Platform, clock: Clock, *, notify_requester: bool
    ) -> None:
        self._database = database
        self._platform = platform
        self._clock = clock
        self._notify_requester = notify_requester
        self._after = ""  # the job at which the last round ended

    def settle(self, looks: Looks, say: Say) -> None:
        """Look at decisions that were set aside, or have been on their way for long."""
        long_ago = self._clock() - LONG
        with self._database.read() as session:
            page = reconciling.undelivered(session, self._after, long_ago, PAGE)
        stuck = []
        for one in page:
            if looks.spent:
                break
            self._after = str(one.task_id)
            if self._settle(one, looks, say):
                stuck.append(one)
        else:
            self._after = str(page[-1].task_id) if len(page) == PAGE else ""
        self._tell_of_stuck(stuck)

    def _settle(self, one: Undelivered, looks: Looks, say: Say) -> bool:
        """Settle a decision that has met its end; says whether it is stuck instead."""
        with self._database.read() as session:
            task = tasks.load(session, one.task_id)
        state = looks.state(task.held) if task is not None else None
        if task is None or state is None:
            return False
        if state in ENDS or (state is PlatformState.GONE and self._is_forgotten(one)):
            self._ended(one.request_id, task, state, say)
            return False
        self._note_unknown(one, state)
        return one.parked and state is PlatformState.HELD

    def _is_forgotten(self, one: Undelivered) -> bool:
        """Whether the platform did not know its task long ago: it may not in passing."""
        return one.unknown_since is not None and one.unknown_since <= self._clock() - FORGOTTEN

    def _note_unknown(self, one: Undelivered, state: PlatformState) -> None:
        """Remember since when the platform does not know the task of what was set aside."""
        unknown = state is PlatformState.GONE
        if not one.parked or unknown == (one.unknown_since is not None):
            return
        with self._database.write() as session:
            locks.hold(session, one.request_id)
            since = self._clock() if unknown else None
            reconciling.note_unknown(session, one.task_id, since)

    def _ended(self, request_id: str, task: Task, state: PlatformState, say: Say) -> None:
        now = self._clock()
        with self._database.write() as session:
            locks.hold(session, request_id)
            # Whoever takes the promise back records what became of it.
            if not jobs.drop(session, jobs.Kind.RELEASE, task.id, now):
                return
            if state is EFFECTS[ACTIONS[task.state]]:
                text = f"{self._platform.title} had it {state}, as was found by reconciling"
                delivered(session, self._platform.name, request_id, task, text, now)
            else:
                notify = self._notify_requester
                overtaken(session, request_id, task, state, now, requester=notify)
        say(f"settled the delivery of task {task.held.id}: it was {state}")

    def tell_again(self, settled: Iterable[Standing], looks: Looks, say: Say) -> None:
        """See to tasks that were settled here and that the platform lists as held."""
        lost = []
        doubtful = filter(self._is_doubtful, settled)
        first_told = sorted(doubtful, key=lambda one: one.delivery is not Delivery.DELIVERED)
        for one in first_told[:PAGE]:
            with self._database.read() as session:
                task = tasks.load(session, one.task_id)
            # Of what was purged there is nothing left to look at, or to tell.
            purged = task is not None and not task.held.links
            if task is None or not (purged or looks.state(task.held) is PlatformState.HELD):
                continue
            if one.delivery is Delivery.DELIVERED and not purged:
                self._again(one, task, say)
            else:
                lost.append(task.held.id)
        self._tell_of_lost(lost)

    def _is_doubtful(self, one: Standing) -> bool:
        """Whether it should not be held: what was told a moment ago may need another.

        Of what is on its way or set aside, a job knows or the operator.
        """
        if one.delivery is Delivery.DELIVERED and one.delivered_at is not None:
            return one.delivered_at <= self._clock() - LONG
        return one.state is TaskState.WITHDRAWN or one.delivery is Delivery.OVERTAKEN

    def _again(self, one: Standing, task: Task, say: Say) -> None:
        now = self._clock()
        text = f"{self._platform.title} still holds it, so it is told again"
        with self._database.write() as session:
            locks.hold(session, one.request_id)
            if task.delivered_at is None or not tasks.undeliver(
                session, task.id, task.delivered_at
            ):
                return
            jobs.add(session, jobs.Kind.RELEASE, task.id, one.request_id, now)
            trail.record(session, one.request_id, "doubted", text, now, task_id=task.id)
        say(f"tells of task {task.held.id} again: it is still held")

    def _tell_of_stuck(self, stuck: Sequence[Undelivered]) -> None:
        self._tell(
            "stuck",
            "Decisions were set aside, and the platform still waits for them",
            [f"request {one.request_id}" for one in stuck],
            "'approval redeliver' tells the platform again.",
        )

    def _tell_of_lost(self, ids: Sequence[str]) -> None:
        self._tell(
            "held-again",
            "The platform holds tasks that had ended there",
            [f"task {id}" for id in ids],
            f"Decide them in {self._platform.title} itself: for the gate they have ended for good.",
        )

    def _tell(self, key: str, title: str, which: Sequence[str], advice: str) -> None:
        if not which:
            return
        named = ", ".join(which[:NAMED])
        more = f" and {len(which) - NAMED} more" if len(which) > NAMED else ""
        with self._database.write() as session:
            trouble.raise_alert(
                session, key, title, f"{named}{more}.", advice, self._clock(), again=TOLD
            )

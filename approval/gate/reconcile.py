"""Reconcile: compare what the platform holds with what waits here, in both directions.

A callback may be lost, a task may be decided on the platform, an answer may be wrong. The
list of held tasks only says where to look: nothing ends here before a look has confirmed it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

import structlog

from approval.clock import Clock
from approval.gate import Record, Say, nothing, settle
from approval.gate.deliveries import Deliveries
from approval.gate.looks import LONGEST, Looks
from approval.gate.receive import Repeated, take_in
from approval.gate.room import Room
from approval.model import Decision, HeldTask, Job, PlatformState, Task, TaskState
from approval.platforms import Platform, PlatformError
from approval.store import locks, reconciling, tasks
from approval.store.database import Database
from approval.store.reconciling import BEGINNING, Place, Standing
from approval.store.session import Session
from approval.wording.outcomes import ENDED

PAGE = 200
ASKED_TOGETHER = 500  # tasks of one request, as one callback may announce
LISTED = 20_000  # tasks in one round, as far as they are kept in memory
TAKEN_IN = 2000  # tasks in one round; the next one finds the rest
ON_ITS_WAY = timedelta(seconds=30)  # a task this new has a callback that may still come
log = structlog.get_logger("approval.reconcile")


@dataclass
class _Listed:
    """What the platform says it holds."""

    ids: set[str] = field(default_factory=set)
    unknown: list[HeldTask] = field(default_factory=list)
    settled: list[Standing] = field(default_factory=list)  # not pending here
    failure: PlatformError | None = None  # why the list breaks off


class Reconcile:
    """The handler of `reconcile` jobs. Two rounds at once do nothing twice."""

    def __init__(
        self,
        database: Database,
        platform: Platform,
        room: Room,
        clock: Clock,
        *,
        notify_requester: bool,
        pause: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._platform = platform
        self._room = room
        self._clock = clock
        self._notify_requester = notify_requester
        self._pause = pause
        self._deliveries = Deliveries(database, platform, clock, notify_requester=notify_requester)
        self._after = BEGINNING  # the open request at which the last round ended

    def __call__(self, job: Job, now: datetime) -> Record:
        """Do one round. Raises PlatformError."""
        self.round(log.info)
        return nothing

    def round(self, say: Say, *, whole: bool = False) -> None:
        """Compare once, a bounded part of it; `say` hears what was done.

        With `whole` the platform is asked for all that it holds, however long that takes.
        Raises PlatformError if anything could not be compared, after the rest was.
        """
        listed = self._list(say, whole)
        looks = Looks(self._platform, self._clock, self._pause)
        if listed.failure is not None:
            looks.fail(listed.failure)
        self._take_in(listed.unknown, say)
        self._deliveries.tell_again(listed.settled, looks, say)
        self._deliveries.settle(looks, say)
        self._withdraw(listed.ids, looks, say)
        if looks.failure is not None:
            raise looks.failure

    def _list(self, say: Say, whole: bool) -> _Listed:
        """Ask the platform what it holds, as far as a round may go."""
        listed = _Listed()
        until = self._clock() + LONGEST
        held = self._held(listed, say, whole)
        while len(listed.ids) < LISTED and (whole or self._clock() < until):
            if not (some := list(islice(held, PAGE))):
                break
            self._pause()
            self._sort(some, listed)
        return listed

    def _held(self, listed: _Listed, say: Say, whole: bool) -> Iterator[HeldTask]:
        """What the platform lists. A list that breaks off still shows what it has shown."""
        try:
            held = self._platform.held(whole=whole)
            if held is None:
                say(f"{self._platform.title} does not list what it holds")
            yield from held or ()
        except PlatformError as error:
            listed.failure = error

    def _sort(self, held: Sequence[HeldTask], listed: _Listed) -> None:
        with self._database.read() as session:
            known = reconciling.standing(session, self._platform.name, [task.id for task in held])
        listed.ids |= {task.id for task in held}
        unknown = [task for task in held if task.id not in known and not self._is_new(task)]
        listed.unknown += unknown[: TAKEN_IN - len(listed.unknown)]
        listed.settled += [one for one in known.values() if one.state is not TaskState.PENDING]

    def _is_new(self, task: HeldTask) -> bool:
        """Whether its callback may still come; the platform's clock need not be ours."""
        return task.held_since is not None and abs(self._clock() - task.held_since) < ON_ITS_WAY

    def _take_in(self, unknown: Sequence[HeldTask], say: Say) -> None:
        """Take in tasks whose callback was lost, as if it had come now."""
        for held in _by_requester(unknown):
            self._pause()
            with self._room.take(len(held), part=True) as taken:
                if taken < len(held):
                    say(f"left {len(held) - taken} on the platform: too many tasks are pending")
                for task_id in self._store(held[:taken]):
                    say(f"took in task {task_id}, of which no callback had come")

    def _store(self, held: Sequence[HeldTask]) -> list[str]:
        """Store tasks as a request, to be considered; returns which of them."""
        if not held:
            return []
        how = ", found by reconciling"
        try:
            with self._database.write() as session:
                now = self._clock()
                return take_in(session, self._platform, held, b"", now, how).task_ids
        except Repeated:
            return []  # its callback came meanwhile

    def _withdraw(self, listed: set[str], looks: Looks, say: Say) -> None:
        """Withdraw pending tasks that ended on the platform."""
        for place in self._open_requests():
            if looks.spent:
                return
            with self._database.read() as session:
                pending = reconciling.pending_tasks(session, place.request_id)
                missing = [task_id for id, task_id in pending.items() if id not in listed]
                perhaps = [tasks.load(session, task_id) for task_id in missing]
            states = [(task, looks.state(task.held)) for task in perhaps if task is not None]
            ended = [(task, state) for task, state in states if state in ENDED]
            if ended:
                self._end(place.request_id, ended, say)

    def _open_requests(self) -> Iterator[Place]:
        """Each open request once, beginning after the one at which the last round ended."""
        start, around = self._after, False
        while True:
            with self._database.read() as session:
                page = reconciling.open_requests(session, self._platform.name, self._after, PAGE)
            for place in page:
                if around and place > start:
                    return
                self._after = place
                yield place
            if len(page) == PAGE:
                continue
            self._after = BEGINNING
            if around or start == BEGINNING:
                return
            around = True

    def _end(
        self, request_id: str, ended: Sequence[tuple[Task, PlatformState | None]], say: Say
    ) -> None:
        now = self._clock()

        def withdraw(session: Session, task: Task, reason: str) -> bool:
            decision = Decision(by=self._platform.title, at=now, reason=reason)
            return settle.withdraw(session, request_id, task, decision)

        with self._database.write() as session:
            locks.hold(session, request_id)
            reasons = [(task, ENDED[state]) for task, state in ended if state is not None]
            done = [(task, why) for task, why in reasons if withdraw(session, task, why)]
            if done:
                settle.spread(session, request_id, now, requester=self._notify_requester)
        for task, why in done:
            say(f"withdrew task {task.held.id}: {why}")


def _by_requester(held: Iterable[HeldTask]) -> Iterator[list[HeldTask]]:
    """The tasks as callbacks would announce them: of one requester, and not too many."""
    groups: dict[str, list[HeldTask]] = {}
    for task in held:
        groups.setdefault(task.requester, []).append(task)
    for group in groups.values():
        for start in range(0, len(group), ASKED_TOGETHER):
            yield group[start : start + ASKED_TOGETHER]

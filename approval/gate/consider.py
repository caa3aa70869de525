"""Consider a new request: is it still held, what is it about, and who is to be asked?"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from approval import decisions
from approval.audit import testimony
from approval.gate import Record, nothing, settle
from approval.gate.doubt import ASK_AGAIN, COMMIT_TIME, wait_for
from approval.model import (
    ApprovalRequest,
    Decision,
    Description,
    HeldTask,
    Job,
    Person,
    PlatformState,
    Reading,
    Task,
)
from approval.platforms import Platform
from approval.store import jobs, machines, people, requests, tasks, trail
from approval.store.database import Database
from approval.store.session import Session
from approval.wording.outcomes import ENDED

DETAILS, DETAIL_TIME = "details", 2 * ASK_AGAIN  # then people are asked without them
CHANGES = frozenset({"RECONFIGURE"})  # task types of which people ask what was there before


@dataclass(frozen=True)
class Finding:
    """What the platform said about the pending tasks of a request."""

    held: Mapping[int, HeldTask]  # by our task id, as the platform has them now
    ended: Mapping[int, str]  # why they are not held any more
    description: Description
    may_decide: Sequence[Person]


class Consider:
    """The handler of `consider` jobs; their subject is a request."""

    def __init__(
        self,
        database: Database,
        platform: Platform,
        policy: decisions.Policy,
        side_by_side: Executor,
        *,
        notify_requester: bool,
    ) -> None:
        self._database = database
        self._platform = platform
        self._policy = policy
        self._side_by_side = side_by_side
        self._notify_requester = notify_requester

    def __call__(self, job: Job, now: datetime) -> Record:
        """Ask the platform, then the rules. Raises Failure while something essential is missing."""
        with self._database.read() as session:
            request = requests.load(session, job.subject)
        if request is None or not request.pending:
            return nothing
        pending = request.pending
        finding = self._find_out(job, pending, now)
        return lambda session, at: self._record(session, request, pending, finding, at)

    def _find_out(self, job: Job, pending: Sequence[Task], now: datetime) -> Finding:
        readings = self._look(pending)
        gone = any(reading.state is PlatformState.GONE for reading in readings.values())
        if gone and job.awaits != DETAILS:  # which are only waited for when this is over
            why = f"{self._platform.title} does not know the task yet"
            wait_for("task", COMMIT_TIME, job, now, why)
        held = {task_id: r.task for task_id, r in readings.items() if r.task is not None}
        ended = {task_id: ENDED[r.state] for task_id, r in readings.items() if r.task is None}
        if not held:
            return Finding({}, ended, Description(requester=None, machines={}), ())
        records = list(held.values())
        describing = self._side_by_side.submit(self._platform.describe, records)
        may_decide = self._platform.approvers(records)
        description = describing.result()
        if description.transient:
            why = f"could not be had yet: {', '.join(description.missing)}"
            wait_for(DETAILS, DETAIL_TIME, job, now, why)
        return Finding(held, ended, description, may_decide)

    def _look(self, pending: Sequence[Task]) -> dict[int, Reading]:
        """Read the tasks back; a batch side by side."""
        apart = self._side_by_side.map if len(pending) > 1 else map
        readings = apart(lambda task: self._platform.look(task.held), pending)
        return {task.id: reading for task, reading in zip(pending, readings, strict=True)}

    def _record(
        self,
        session: Session,
        request: ApprovalRequest,
        pending: Sequence[Task],
        finding: Finding,
        now: datetime,
    ) -> None:
        self._describe(session, request, pending, finding, now)
        tell = False
        to_ask: dict[str, Person] = {}
        for task in pending:
            if task.id in finding.ended:
                decision = Decision(by=self._platform.title, at=now, reason=finding.ended[task.id])
                settle.withdraw(session, request.id, task, decision)
                continue
            held = finding.held[task.id]
            requester = finding.description.requester or Person(key=held.requester, name="")
            choice = decisions.on_arrival(held.type, requester, finding.may_decide, self._policy)
            if isinstance(choice, decisions.Ask):
                to_ask |= {person.key: person for person in choice.approvers}
            else:
                decision = Decision(by=testimony.RULE, at=now, reason=choice.reason)
                settle.decide(session, request.id, task, choice.action, decision)
                tell = tell or not choice.quiet
        if to_ask:
            self._ask(session, request.id, list(to_ask.values()), now)
        else:
            requests.close_if_decided(session, request.id, now)
        if tell and self._notify_requester:
            jobs.add(session, jobs.Kind.OUTCOME, request.id, request.id, now)

    def _describe(
        self,
        session: Session,
        request: ApprovalRequest,
        pending: Sequence[Task],
        finding: Finding,
        now: datetime,
    ) -> None:
        description = finding.description
        requests.describe(session, request.id, description.requester, description.missing, now)
        found = description.machines
        changed = [
            found[held.id].key
            for held in finding.held.values()
            if held.type in CHANGES and held.id in found
        ]
        known = machines.last_known(session, self._platform.name, changed) if changed else {}
        said = []
        for task in pending:
            if held := finding.held.get(task.id):
                machine = found.get(held.id)
                previous = known.get(machine.key) if machine and held.type in CHANGES else None
                said.append(tasks.describe(session, task.id, held, machine, previous))
        text = testimony.found(description.requester, description.missing, said)
        trail.record(session, request.id, "verified", text, now)

    def _ask(
        self, session: Session, request_id: str, asked: Sequence[Person], now: datetime
    ) -> None:
        for approver_id in people.ask(session, request_id, asked):
            jobs.add(session, jobs.Kind.ASK, approver_id, request_id, now)
        who = [testimony.person(person.name, person.address or "") for person in asked]
        trail.record(session, request_id, testimony.ASKED, testimony.asked(who), now)

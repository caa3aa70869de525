"""The use cases between a fake platform and a fake mail server, on a real store.

Either can be another one that is given.
"""

from concurrent.futures import Executor
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from prometheus_client import Counter, Gauge

from approval.allowance import Allowance
from approval.decisions import Policy
from approval.engine.attempts import Rounds
from approval.engine.holding import Holding
from approval.engine.jobs import Jobs
from approval.gate import Handler
from approval.gate.ask import Ask, Patience
from approval.gate.consider import Consider
from approval.gate.lapse import Lapse
from approval.gate.letters import Letters
from approval.gate.receive import Received, receive
from approval.gate.reconcile import Reconcile
from approval.gate.release import Release
from approval.gate.revoke import revoke
from approval.gate.room import Room
from approval.gate.tell import Tell
from approval.gate.trouble import redeliver
from approval.gate.vote import Counted, Opened, open_tasks, vote
from approval.gate.whose import meant
from approval.links import Links
from approval.mail import Transport
from approval.mail.message import Sender
from approval.mail.paced import Paced
from approval.model import Action, ApprovalRequest, Approver, HeldTask, Person, Task
from approval.platforms import Platform
from approval.rendering import Templates
from approval.store import leases, people, requests, tasks, trail
from approval.store.database import Database
from approval.store.jobs import Kind, Lane
from approval.store.tables import JOBS
from tests.fakes import OPERATOR, Clock, FakePlatform, FakeTransport, make_held

GIVE_UP_AFTER = timedelta(hours=4)
EVERY = timedelta(minutes=5)  # between two rounds
TEMPLATES = Templates(None, {"brand": "Example", "platform": FakePlatform.title})
KEY = "a key that is long enough"
LINKS = Links([KEY], "https://gate.example", timedelta(days=7))


class FakedGate:
    """A gate whose outside is read and moved by hand; every step is a method."""

    def __init__(
        self,
        database: Database,
        executor: Executor,
        *,
        policy: Policy | None = None,
        notify_requester: bool = True,
        operator: str | None = OPERATOR,
        subjects: dict[str, str] | None = None,
        most_mails: int = 0,
        most_pending: int = 0,
        patience: Patience | None = None,
        platform: Platform | None = None,
        mails: Transport | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.database = database
        self.platform = platform or FakePlatform()
        self.mails = mails or FakeTransport()
        self.clock = clock or Clock()
        self.notify_requester = notify_requester
        sender = Sender("Approval gate", "gate@gate.example")
        letters = Letters(TEMPLATES, LINKS, sender, subjects or {})
        paced = Paced(self.mails, Allowance(most_mails, timedelta(hours=1)), self.clock)
        ask = Ask(database, letters, paced, patience or Patience())
        tell = Tell(database, letters, paced, urgent=self.mails, operator=operator)
        self.room = Room(database, most_pending, self.clock)
        notify = {"notify_requester": notify_requester}
        self.handlers: dict[Kind, Handler] = {
            Kind.CONSIDER: Consider(
                database, self.platform, policy or Policy(), executor, **notify
            ),
            Kind.RELEASE: Release(database, self.platform, **notify),
            Kind.LAPSE: Lapse(database, **notify),
            Kind.ASK: ask.ask,
            Kind.REMIND: ask.remind,
            Kind.NOTE: tell.note,
            Kind.OUTCOME: tell.outcome,
            Kind.ALERT: tell.alert,
        }
        self.reconcile = self.reconciler()
        self.handlers[Kind.RECONCILE] = self.reconcile
        self.jobs = self.worker()

    def reconciler(self) -> Reconcile:
        """Something that reconciles this gate, as another process might."""
        notify = self.notify_requester
        return Reconcile(
            self.database, self.platform, self.room, self.clock, notify_requester=notify
        )

    def round(self) -> list[str]:
        """Reconcile once; returns what was done, in words."""
        said: list[str] = []
        self.reconcile.round(said.append)
        return said

    def worker(self, holding: Holding | None = None) -> Jobs:
        """Something that runs this gate's jobs, as another process might."""
        counter = Counter("jobs", "Jobs run.", ["kind", "end"], registry=None)
        last = Gauge("rounds", "Last rounds.", ["kind"], registry=None)
        rounds = Rounds({Kind.RECONCILE: EVERY}, last)
        return Jobs(
            self.database, self.handlers, GIVE_UP_AFTER, self.clock, counter, rounds, holding
        )

    # What happens from outside.

    def receive(self, *tasks: HeldTask | str) -> str:
        """The platform holds tasks and announces them; returns the request's id."""
        held = [make_held(task) if isinstance(task, str) else task for task in tasks]
        self.platform.hold(*held)
        return self.callback(*(task.id for task in held)).request_id

    def callback(self, *ids: str) -> Received:
        """The platform announces tasks, whatever became of them."""
        return self.take_in(" ".join(ids).encode())

    def take_in(self, body: bytes) -> Received:
        """The platform calls."""
        return receive(self.database, self.platform, self.room, body, {}, self.clock())

    def ask(self, *tasks: HeldTask | str) -> str:
        """The platform announces tasks, and the approvers are mailed; returns the request's id."""
        request_id = self.receive(*tasks)
        self.work()
        return request_id

    def open(self, person: Person | None, *ids: str) -> Opened:
        """Somebody opens the link to tasks; None for an unsigned link."""
        approver_id = None
        if person is not None:
            with self.database.read() as session:
                found = tasks.find(session, self.platform.name, ids[0])
            assert found is not None
            approver_id = self.approver(found[0], person).id
        return open_tasks(self.database, self.platform.name, ids, approver_id)

    def press(self, person: Person | None, action: Action, *ids: str, comment: str = "") -> Counted:
        """Somebody opens the link to tasks and presses the button."""
        return self.count(self.open(person, *ids), action, comment)

    def count(self, opened: Opened, action: Action, comment: str = "") -> Counted:
        """Somebody presses the button of a page that is open."""
        return vote(
            self.database,
            opened,
            action,
            comment,
            self.clock(),
            notify_requester=self.notify_requester,
        )

    def redeliver(self, *ids: str) -> list[str]:
        """The operator takes up parked jobs: all, or those of these tasks."""
        with self.database.write() as session:
            return redeliver(session, list(ids) or None, self.platform.name, self.clock())

    # Time and work.

    def withdraw(
        self, name: str | None = None, address: str | None = None, act: Any = revoke
    ) -> list[Approver]:
        """Withdraw links, or do something else to those who hold them; returns whose."""
        found: list[Approver] = []
        with self.database.read() as session:
            whose = meant(session, self.platform.name, name, address)
        act(self.database, whose, address, self.clock, found.extend)
        return found

    def work(self) -> None:
        """Run all that is due now."""
        while any(self.jobs.run(lane) for lane in self._busy()):
            pass

    def _busy(self) -> list[Lane]:
        """The lanes in which something is due; to try to claim it in each takes longer."""
        self.jobs.catch_up()
        due = JOBS.c.lane.in_(list(Lane)), JOBS.c.parked_at.is_(None), JOBS.c.due <= self.clock()
        with self.database.read() as session:
            found = set(session.scalars(sa.select(JOBS.c.lane).where(*due).distinct()))
        return [lane for lane in Lane if lane in found]

    def pass_time(self, **length: float) -> None:
        """Let time pass and run each job when it is due."""
        end = self.clock.now + timedelta(**length)
        while self.clock.now < end:
            self.work()
            dues = filter(None, map(self.jobs.next_due, Lane))
            self.clock.now = max(self.clock.now, min([*dues, end]))
            self.clock.now = min(self.clock.now, end)
        self.work()

    # What can be seen.

    def request(self, request_id: str) -> ApprovalRequest:
        with self.database.read() as session:
            request = requests.load(session, request_id)
        assert request is not None
        return request

    def task(self, id: str = "1") -> Task:
        with self.database.read() as session:
            found = tasks.find(session, self.platform.name, id)
            task = tasks.load(session, found[1]) if found else None
        assert task is not None
        return task

    def kinds(self, request_id: str) -> list[str]:
        """The kinds of the request's events, in order."""
        with self.database.read() as session:
            return trail.kinds(session, request_id)

    def approver(self, request_id: str, person: Person) -> Approver:
        with self.database.read() as session:
            asked = people.approvers(session, request_id)
        [approver] = [approver for approver in asked if approver.name == person.name]
        return approver

    def next_due(self, lane: Lane) -> object:
        with self.database.read() as session:
            return leases.next_due(session, lane)

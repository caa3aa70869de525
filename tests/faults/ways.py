"""The way of a task past real sockets, with everything that can be seen of it."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_string, policy
from email.message import EmailMessage

import sqlalchemy as sa

from approval.demo.cloud import Cloud
from approval.demo.cloud.sample import add_equipped
from approval.mail.smtp import Server, Smtp
from approval.model import Action, ApprovalRequest, Person, Task
from approval.platforms.abiquo import Abiquo, Settings
from approval.store.database import Database
from approval.store.session import Row
from approval.store.tables import JOBS
from tests.fakes import OPERATOR
from tests.faults.line import Fault, Line, line_to
from tests.gate.faked import FakedGate
from tests.scripted import Scripted, scripted_server

PATIENT, HASTY = 10, 0.2  # seconds a call to the platform, or a step of a mail, may take
ANA, MONA, MAX = "ana@acme.example", "mona@acme.example", "max@acme.example"
PRESSER = Person(key="users/2", name="Mona Manager")
SPOILED = timedelta(minutes=4)  # longer than what may pass untold


@dataclass
class Outside:
    """A simulated platform at the end of a line, and a mail server that does as it is told."""

    cloud: Cloud
    line: Line
    elsewhere: Line
    mail: Scripted


@contextmanager
def outside() -> Iterator[Outside]:
    with (
        Cloud() as cloud,
        line_to(cloud.port) as line,
        line_to(cloud.port) as elsewhere,
        scripted_server() as mail,
    ):
        line.other = elsewhere.port
        yield Outside(cloud, line, elsewhere, mail)


@dataclass
class Way:
    """One task on its way through a gate whose clock is moved by hand."""

    outside: Outside
    gate: FakedGate
    task: str
    request_id: str = ""
    seen: set[str] = field(default_factory=set)

    # What happens.

    def announce(self) -> None:
        """The platform announces the task."""
        body = self.outside.cloud.callback_body([self.task])
        received = self.gate.take_in(body)
        self.request_id = received.request_id

    def ask(self) -> None:
        """The task is announced and the approvers are asked, while all is well."""
        self.announce()
        self.gate.pass_time(minutes=1)
        assert sorted(self.mailed) == [MAX, MONA]
        self.outside.line.heard.clear()

    def press(self, action: Action) -> None:
        self.gate.press(PRESSER, action, self.task)

    def spoil(self, calls: str, fault: Fault) -> None:
        self.outside.line.spoil(calls, fault)

    def endure(self, length: timedelta = SPOILED) -> None:
        """Work as long as it is spoiled: at once, and again after a while."""
        self.gate.work()
        self.seen |= self.errors()
        self.gate.clock.now += length
        self.gate.work()
        self.seen |= self.errors()

    def mend(self) -> None:
        """All is well again, and the operator takes up what was set aside."""
        self.outside.line.mend()
        self.outside.mail.mend()
        self.gate.pass_time(hours=2)
        if self.parked():
            self.gate.redeliver()
        self.gate.pass_time(hours=2)
        assert self.jobs() == []

    # What can be seen.

    @property
    def request(self) -> ApprovalRequest:
        return self.gate.request(self.request_id)

    @property
    def decided(self) -> Task:
        """The task as the gate has it."""
        [task] = self.request.tasks
        return task

    @property
    def state(self) -> str:
        """Where the task stands on the platform."""
        return self.outside.cloud.task_state(self.task)

    @property
    def posts(self) -> list[str]:
        """What came through to the platform about the task."""
        return [
            call.path.rpartition("/")[2]
            for call in self.outside.cloud.calls
            if call.method == "POST" and self.task in call.path
        ]

    @property
    def mails(self) -> list[EmailMessage]:
        """What the mail server took, or may have taken."""
        return [
            message_from_string(text, policy=policy.default)  # type: ignore[misc]
            for text in self.outside.mail.taken
        ]

    @property
    def mailed(self) -> list[str]:
        """Who was written to, the operator left out: once for each message that is another."""
        ids = {mail["Message-ID"]: address(mail) for mail in self.mails}
        return [to for to in ids.values() if to != OPERATOR]

    @property
    def alerts(self) -> list[EmailMessage]:
        return [mail for mail in self.mails if address(mail) == OPERATOR]

    @property
    def events(self) -> list[str]:
        return self.gate.kinds(self.request_id)

    def errors(self) -> set[str]:
        """What stands at the jobs that did not work."""
        return {job.error for job in self.jobs() if job.error}

    def parked(self) -> list[Row]:
        return [job for job in self.jobs() if job.parked_at is not None]

    def jobs(self) -> list[Row]:
        with self.gate.database.read() as session:
            return list(session.execute(sa.select(JOBS)))


def address(mail: EmailMessage) -> str:
    [to] = mail["To"].addresses
    return str(to.addr_spec)


@contextmanager
def way(
    outside: Outside,
    database: Database,
    executor: Executor,
    calls: float = PATIENT,
    mails: float = PATIENT,
) -> Iterator[Way]:
    """A way for a fresh task of Ana's; how long its calls and the steps of its mails may take."""
    outside.line.mend()
    outside.mail.mend()
    for heard in (*outside.line.kept, *outside.elsewhere.kept, *outside.mail.kept):
        heard.clear()
    platform = Abiquo(
        Settings(
            api_location=f"http://127.0.0.1:{outside.line.port}/api",
            api_username=Cloud.username,
            api_password=Cloud.password,
            api_timeout=calls,
        )
    )
    server = Smtp(Server(host="127.0.0.1", port=outside.mail.port, timeout=mails))
    gate = FakedGate(database, executor, platform=platform, mails=server)
    try:
        yield Way(outside, gate, deploy(outside.cloud))
    finally:
        outside.line.mend()
        outside.mail.mend()
        platform.close()
        server.close()


def deploy(cloud: Cloud) -> str:
    """Hold a fresh task; nobody is told yet."""
    world = cloud.world
    with world.lock:
        appliance = world.add_appliance(world.datacenters[3], "Fresh")
        add_equipped(world, appliance, world.users[1], "fresh-01")
    [task] = cloud.deploy_appliance(appliance.id)
    return task

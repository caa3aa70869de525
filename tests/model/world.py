"""A whole gate in this process that can be restarted, between an outside that can be moved."""

import html
import re
import shutil
import tempfile
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import sqlalchemy as sa
from flask.testing import FlaskClient

from approval.allowance import Allowance
from approval.links import REQUEST, TASK, LinkInvalid
from approval.mail import MailError
from approval.metrics import Metrics
from approval.model import Job
from approval.store import leases
from approval.store.database import Database
from approval.store.jobs import Kind, Lane
from approval.store.session import Row
from approval.store.tables import EVENTS, JOBS, METADATA, TASKS
from approval.web.access import Door
from approval.web.answers import Answers
from approval.web.app import create_app
from approval.web.callback import callback_routes
from approval.web.callers import Callers
from approval.web.pages import Pages
from approval.web.strangers import Strangers
from tests import stores
from tests.fakes import BEA, MAX, Clock, FakePlatform, FakeTransport, address_of, make_person
from tests.gate.faked import LINKS, TEMPLATES, FakedGate

CID = make_person("Cid")
APPROVERS = (BEA, MAX, CID)
PAGES = Pages(TEMPLATES)
BASE = "https://gate.example/"
LINK = re.compile(r'href="(https://gate\.example/[^"]+)"')


class PowerCut(BaseException):
    """The process ends here."""


@dataclass(frozen=True)
class Sent:
    """A mail that was taken: of which job it was, and how many presses there were before it."""

    kind: Kind
    request_id: str | None
    to: str
    id: str
    presses: int


class Post(FakeTransport):
    """A mail server that can take a mail and not say so."""

    def __init__(self) -> None:
        super().__init__()
        self.mute = 0
        self.links: list[tuple[str, str]] = []  # every link that was mailed, after whom to

    def send(self, message: EmailMessage) -> None:
        super().send(message)
        for url in LINK.findall(message.get_body(["html"]).get_content()):
            link = address_of(message), html.unescape(url)
            if link not in self.links:
                self.links.append(link)
        if self.mute:
            self.mute -= 1
            raise MailError("the connection broke")


class World:
    """The gate, its outside, and what was seen of it."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="model-"))
        self._stack = ExitStack()
        self._store = self._stack.enter_context(stores.fresh(self._folder))
        self._executor = executor
        self.clock = Clock()
        self.platform = FakePlatform()
        self.platform.people = list(APPROVERS)
        self.platform.on_call = self._called
        self.superfluous: list[str] = []  # tasks that were posted after a post had had its effect
        self._heard: set[str] = set()
        self.post = Post()
        self.post.on_send = lambda message: self._interrupt("mail")
        self.sent: list[Sent] = []
        self.presses = 0
        self.interruption: Callable[[], object] | None = None
        self.cut: Kind | None = None
        self._start()

    def close(self) -> None:
        self.gate.database.close()
        self._stack.close()
        shutil.rmtree(self._folder)

    def restart(self) -> None:
        """A new process on the same file."""
        self.gate.database.close()
        self._start()

    def work(self) -> None:
        """Run all that is due; the power may fail once."""
        try:
            self.gate.work()
        except PowerCut:
            self.restart()
            self.gate.work()
        assert not any(map(self.gate.jobs.run_next, Lane))  # what is not due is nobody's

    def pass_time(self, **length: float) -> None:
        try:
            self.gate.pass_time(**length)
        except PowerCut:
            self.restart()
            self.gate.pass_time(**length)

    def mend(self) -> None:
        """The outside works again."""
        self.platform.broken.clear()
        self.platform.errors.clear()
        self.post.broken, self.post.mute = None, 0
        self.post.refused.clear()
        self.interruption = self.cut = None

    # What can be seen.

    def tables(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table."""
        with self.gate.database.read() as session:
            return {
                table.name: [tuple(row) for row in session.execute(sa.select(table))]
                for table in METADATA.sorted_tables
            }

    def rows(self) -> dict[str, Row]:
        """The tasks as they are stored, by the platform's id."""
        with self.gate.database.read() as session:
            return {row.platform_task_id: row for row in session.execute(sa.select(TASKS))}

    def jobs(self) -> list[Row]:
        with self.gate.database.read() as session:
            return list(session.execute(sa.select(JOBS)))

    def events(self) -> list[Row]:
        with self.gate.database.read() as session:
            return list(session.execute(sa.select(EVENTS).order_by(EVENTS.c.id)))

    # From here on it is about how it is put together.

    def _start(self) -> None:
        database = Database(self._store.url)
        self.gate = FakedGate(
            database, self._executor, platform=self.platform, mails=self.post, clock=self.clock
        )
        for kind in self.gate.handlers:
            self.gate.handlers[kind] = self._watched(kind)
        with database.write() as session:
            leases.hand_back(session, self.clock())
        self.client = self._app(database)

    def _app(self, database: Database) -> FlaskClient:
        metrics = Metrics(database, self.clock)
        door = Door(database, self.platform.name, LINKS, self.clock, signed=True)
        answers = Answers(
            database, door, Strangers(Allowance(0, timedelta(minutes=1)), door, PAGES, self.clock),
            PAGES, self.clock, metrics.decisions,
            one_click=False, notify_requester=True,
        )  # fmt: skip
        callbacks = callback_routes(
            database,
            self.platform,
            self.gate.room,
            Callers(self.clock),
            self.clock,
            metrics.callbacks,
        )
        return create_app(PAGES, [answers.routes(), callbacks]).test_client()

    def _watched(self, kind: Kind) -> Callable[[Job, object], object]:
        handler = self.gate.handlers[kind]

        def watched(job: Job, now: object) -> object:
            before = len(self.post.sent)
            presses = self.presses
            try:
                record = handler(job, now)
            finally:
                for mail in self.post.sent[before:]:
                    self.sent.append(
                        Sent(kind, job.request_id, address_of(mail), mail["Message-ID"], presses)
                    )
            if self.cut is kind:
                self.cut = None
                raise PowerCut
            return record

        return watched

    def _called(self, verb: str) -> None:
        if verb == "release" and self.platform.posts[-1].task.id in self._heard:
            self.superfluous.append(self.platform.posts[-1].task.id)
        if verb == "answer":
            self._heard.add(self.platform.posts[-1].task.id)
        self._interrupt(verb)

    def _interrupt(self, verb: str) -> None:
        """Something happens while the gate waits for an answer."""
        if self.interruption is not None and verb != "read":
            happen, self.interruption = self.interruption, None
            happen()


def query_of(url: str) -> tuple[str, dict[str, str]]:
    """The path of a link and what its query says."""
    parts = urlsplit(url)
    return parts.path, dict(parse_qsl(parts.query))


def opens(token: str) -> tuple[str, object]:
    """What a token leads to, whosever it is."""
    try:
        link, purpose = LINKS.read(TASK, token), TASK
    except LinkInvalid:
        link, purpose = LINKS.read(REQUEST, token), REQUEST
    return purpose, link.subject


def ids_of(fields: dict[str, str]) -> Collection[str]:
    """The tasks that a link names."""
    return (fields.get("task") or fields.get("tasks") or "").split(",")

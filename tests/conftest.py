"""The real parts: a simulated platform, a mail server, and a served gate between them."""

import os
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

import hypothesis
import pytest
import requests
import sqlalchemy as sa
import structlog
import trustme

from approval.cli.assembly import Service, assemble
from approval.clock import utc_now
from approval.config import load
from approval.demo.cloud import Cloud
from approval.demo.cloud.sample import add_equipped
from approval.demo.mailbox import Mailbox
from approval.store import wakes
from approval.store.jobs import Kind, Lane
from approval.store.session import Row
from approval.store.tables import JOBS, METADATA
from approval.web.server import Server
from tests import stores
from tests.compiled import templates_are_compiled_once
from tests.mails import Mails, Received
from tests.scripted import Scripted, scripted_server
from tests.waiting import wait_until
from tests.watch import WATCH, nothing_secret_is_logged

__all__ = ["nothing_secret_is_logged", "templates_are_compiled_once", "wait_until"]

# A busy machine is not a failure. CI has a profile of hypothesis' own, which says so too.
if not os.environ.get("CI"):
    hypothesis.settings.register_profile("here", deadline=None)
    hypothesis.settings.load_profile("here")
# `make model` asks for it.
hypothesis.settings.register_profile(
    "model", max_examples=400, stateful_step_count=60, deadline=None
)
# Packages whose every test runs on both kinds of store, and those that are about a file.
ON_BOTH, ON_FILES = {"store", "gate", "engine", "web"}, {"cli", "crash"}
MONA, MAX, ANA = "mona@acme.example", "max@acme.example", "ana@acme.example"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--store", choices=stores.KINDS, help="run every test on this kind of store")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    package = Path(metafunc.module.__file__).parent.name
    only = metafunc.definition.get_closest_marker("only_on")
    possible = set(only.args if only else [stores.SQLITE] if package in ON_FILES else stores.KINDS)
    chosen = metafunc.config.getoption("--store")
    usual = set(stores.KINDS) if package in ON_BOTH or only else {stores.SQLITE}
    kinds = sorted(possible & ({chosen} if chosen else usual), reverse=True)  # SQLite first
    metafunc.parametrize("store_kind", kinds, indirect=True, scope="session")


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Whoever sets up the logs in a test does so for that test alone."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session", autouse=True)
def store_kind(request: pytest.FixtureRequest) -> str:
    """The kind of store that tests have now; whatever outlives a test and has one asks for it."""
    stores.use(request.param)
    return request.param


def form_of(link: str) -> tuple[str, dict[str, str]]:
    """Where the form behind a mail's link is sent, and its fields."""
    path, _, query = link.partition("?")
    return path, dict(parse_qsl(query))


def press(link: str) -> requests.Response:
    """Press the button that a mail's link leads to, wherever it is served."""
    path, fields = form_of(link)
    return requests.post(path, fields, timeout=60)


FOR_PEOPLE = (Kind.REMIND, Kind.LAPSE)  # what waits for days, to see whether somebody decides


@dataclass
class Gate:
    """A served gate as its users meet it."""

    service: Service
    url: str
    folder: Path
    store: stores.Store
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def key(self) -> str:
        """What signs the links: configured, or made by the gate."""
        if stores.KEY in self.store.settings:
            return stores.KEY
        return (self.folder / "workflow.db.key").read_text("ascii").strip()

    def get(self, url: str, **options: object) -> requests.Response:
        return self.session.get(self._absolute(url), timeout=60, **options)

    def post(self, url: str, body: object = None, **options: object) -> requests.Response:
        return self.session.post(self._absolute(url), data=body, timeout=60, **options)

    def callback(self, body: bytes, **options: object) -> requests.Response:
        return self.post("/callback", body, **options)

    def press(self, link: str, comment: str = "", **options: object) -> requests.Response:
        """Press the button that a mail's link leads to, as the form does."""
        path, fields = form_of(link)
        return self.post(path, fields | {"comment": comment}, **options)

    def tables(self) -> dict[str, list[Row]]:
        """Every row of every table."""
        with self.service.database.read() as session:
            return {
                table.name: list(session.execute(sa.select(table)))
                for table in METADATA.sorted_tables
            }

    def events(self, request_id: str | None = None) -> list[str]:
        """The kinds of the events of the audit trail, of one request or of all, in order."""
        rows = sorted(self.tables()["events"], key=lambda row: row.id)
        return [row.kind for row in rows if request_id in (None, row.request_id)]

    def change(self, statement: sa.Executable) -> None:
        """Change the store behind the gate's back, as time or an accident would."""
        with self.service.database.write() as session:
            session.execute(statement)

    def wait_until_idle(self) -> None:
        """Wait until every job that is due has been run."""

        def idle() -> bool:
            working = sa.or_(JOBS.c.lease.is_not(None), JOBS.c.due <= utc_now())
            with self.service.database.read() as session:
                jobs = sa.select(JOBS.c.id).where(JOBS.c.parked_at.is_(None), working)
                return session.execute(jobs).first() is None

        wait_until(idle)

    def hurry(self) -> None:
        """Make every job due now, as if the time until then had passed; people stay away."""
        database, now = self.service.database, utc_now()
        waits = sa.and_(JOBS.c.lease.is_(None), JOBS.c.kind.not_in(FOR_PEOPLE))
        if database.hands_over:
            waits &= JOBS.c.lane != Lane.UPKEEP  # Temporal does rounds by its own clock
        self.change(sa.update(JOBS).where(waits).values(due=now))
        if database.hands_over:
            with database.write() as session:
                wakes.add(session, dict.fromkeys(wakes.unfinished(session), now))
        self.service.engine.wake(list(Lane))

    def catch_up(self) -> None:
        """Run every job there is to its end, as if the time until each is due had passed."""

        def done() -> bool:
            self.hurry()
            self.wait_until_idle()
            with self.service.database.read() as session:
                ends = JOBS.c.lane != Lane.UPKEEP, JOBS.c.kind.not_in(FOR_PEOPLE)
                left = sa.select(JOBS.c.id).where(JOBS.c.parked_at.is_(None), *ends)
                return session.execute(left).first() is None

        wait_until(done)

    def _absolute(self, url: str) -> str:
        return url if url.startswith("http") else f"{self.url}{url}"


@dataclass
class Site:
    """A served gate with its platform and its mail server, where many tests have room."""

    gate: Gate
    cloud: Cloud
    mailbox: Mailbox
    mails: Mails

    def deploy(self, count: int = 1, **values: object) -> list[str]:
        """Deploy fresh machines as one operation; returns the ids of the held tasks."""
        world = self.cloud.world
        with world.lock:
            appliance = world.add_appliance(world.datacenters[3], "Fresh")
            for number in range(count):
                add_equipped(world, appliance, world.users[1], f"fresh-{number:02}", **values)
        return self.cloud.deploy_appliance(appliance.id)

    def mail(self, task: str, to: str = MONA) -> Received:
        """The mail that asks somebody about a task; waits for it."""
        return self.mails.about(task, to)

    def settle(self) -> None:
        """Wait until nothing is under way."""
        assert self.cloud.wait_for_callbacks()
        self.gate.wait_until_idle()

    def posts(self, task: str) -> list[str]:
        """What the platform was told about a task."""
        return [
            call.path.rpartition("/")[2]
            for call in self.cloud.calls
            if call.method == "POST" and task in call.path
        ]


def settings_text(cloud: Cloud, mailbox: Mailbox, extra: str = "") -> str:
    """A workflow.cfg for these parts; `extra` may add sections or, first, keys of [server]."""
    return f"""\
[abiquo]
api_location = {cloud.api_location}
api_username = {cloud.username}
api_password = {cloud.password}
[mail]
from = Approval gate <gate@gate.example>
host = 127.0.0.1
port = {mailbox.smtp_port}
operator = operator@gate.example
[server]
bind_port = 0
{extra}
"""


@contextmanager
def served_gate(
    folder: Path, text: str, port: int = 0, store: stores.Store | None = None, **serving: int
) -> Iterator[Gate]:
    """Serve a gate in this process with the settings in `text`, on a store that is there or new.

    `serving` is for its server.
    """
    with nullcontext(store) if store else stores.lent(folder, "workflow.db") as store:
        yield from _served(folder, text, port, store, serving)


def _served(
    folder: Path, text: str, port: int, store: stores.Store, serving: Mapping[str, int]
) -> Iterator[Gate]:
    file = folder / "workflow.cfg"
    port = port or free_port()
    public = f"http://127.0.0.1:{port}"
    WATCH.settings(text + store.settings)
    here = f"bind_port = {port}\n{store.settings}"
    file.write_text(text.replace("bind_port = 0", here), encoding="utf-8")
    config = load(file, {})
    service = assemble(config)
    server = Server(service.app, "127.0.0.1", port, **serving)
    thread = threading.Thread(target=server.run)
    thread.start()
    service.engine.start()
    gate = Gate(service, public, folder, store)
    try:
        yield gate
    finally:
        server.stop()
        thread.join()
        service.engine.stop(20)
        service.close()
        gate.session.close()
        WATCH.keys(folder)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with scripted_server() as server:
        yield server


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def gate(tmp_path: Path, cloud: Cloud, mailbox: Mailbox) -> Iterator[Gate]:
    with served_gate(tmp_path, settings_text(cloud, mailbox)) as gate:
        cloud.callback_url = f"{gate.url}/callback"
        yield gate


@pytest.fixture
def mails(mailbox: Mailbox) -> Mails:
    return Mails(mailbox)


@contextmanager
def served_site(folder: Path, extra: str = "", **serving: int) -> Iterator[Site]:
    """A site of its own, with more settings (see `settings_text`, `served_gate`)."""
    with (
        Mailbox() as mailbox,
        Cloud() as cloud,
        served_gate(folder, settings_text(cloud, mailbox, extra), **serving) as gate,
    ):
        cloud.callback_url = f"{gate.url}/callback"
        yield Site(gate, cloud, mailbox, Mails(mailbox))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, store_kind: str) -> Iterator[Site]:
    """One site for all tests of a module that do not disturb each other."""
    with served_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@dataclass(frozen=True)
class Certificates:
    """An authority, and servers that it knows by address or by another name."""

    authority: trustme.CA

    def server(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(*names).configure_cert(context)
        return context


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    return Certificates(trustme.CA())


@pytest.fixture(scope="session")
def ca_file(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    certificates.authority.cert_pem.write_to_path(file)
    return file

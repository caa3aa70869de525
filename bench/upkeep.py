"""How long what is done again and again keeps the database to itself, with a long past."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from prometheus_client import generate_latest

from approval.cli.parts import build_platform, build_reconcile, build_room
from approval.clock import utc_now
from approval.config import load
from approval.demo.cloud import Cloud
from approval.gate.purge import REQUESTS, purge
from approval.gate.revoke import revoke
from approval.gate.whose import meant
from approval.metrics import Metrics
from approval.store import jobs, leases, retention, tables
from approval.store.database import Database
from approval.store.session import Session
from bench.bodies import body
from bench.people import MANAGER

BATCHES = 200  # of a purge; the others are like them
HELD = 200  # tasks of which no callback came
WANTED = 50.0  # milliseconds, for a press may have to wait for a transaction


@dataclass(frozen=True)
class Took:
    """How long something took and how much of that was computed, in milliseconds."""

    time: float
    computed: float


class Timed(Database):
    """A database that knows how long each of its write transactions took."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.took: list[Took] = []

    @contextmanager
    def write(self) -> Iterator[Session]:
        begun, computed = time.perf_counter(), time.thread_time()
        with super().write() as session:
            yield session
        took = time.perf_counter() - begun, time.thread_time() - computed
        self.took.append(Took(*(1000 * seconds for seconds in took)))


class _Enough(Exception):
    """Raised to end a purge that would go on for an hour."""


def lines(settings: Path, cloud: Cloud) -> Iterator[str]:
    """The longest write transaction of each, and how long it takes to read the figures."""
    config = load(settings, {})
    with closing(Timed(config.database)) as database:
        platform = build_platform(config)
        room = build_room(config, database)
        rounds = build_reconcile(config, database, platform, room, lambda: None)
        _hold(cloud)
        now = utc_now()
        yield _longest("start", database, lambda: _start(database))
        yield _longest(f"reconcile, {HELD} tasks unknown", database, lambda: rounds.round(_unheard))
        yield _longest("reconcile, nothing new", database, lambda: rounds.round(_unheard))
        yield _longest("purge, nothing to do", database, lambda: purge(
            database, now - timedelta(days=3650), now, lambda: None
        ))  # fmt: skip
        yield _longest(
            f"purge, {BATCHES} batches of {REQUESTS} requests", database, lambda: _purge(database)
        )
        _ask(database)
        yield _longest("withdrawing a person's links", database, lambda: _revoke(database))
        platform.close()
        yield _reading("metrics", lambda: generate_latest(Metrics(database, utc_now).registry))
        with database.read() as session:
            yield _reading("readiness", lambda: jobs.backlog(session))
            yield _reading("what a purge would do", lambda: retention.due(session, now))


def _unheard(words: str) -> None:
    pass


def _hold(cloud: Cloud) -> None:
    """Have the platform hold tasks that it announced an hour ago."""
    for number in range(HELD):
        [task] = cloud.adopt(body(10**6 + number, machine=60))
        with cloud.world.lock:
            cloud.world.tasks[task].created -= 3600


def _start(database: Database) -> None:
    with database.write() as session:
        leases.hand_back(session, utc_now())


def _ask(database: Database) -> None:
    """Have a person hold links in all open requests."""
    person = sa.literal("k"), sa.literal("Mona Manager"), sa.literal(MANAGER), sa.literal("sent")
    names = ["request_id", "person_key", "name", "address", "mail"]
    requests = tables.REQUESTS.c
    asked = sa.select(requests.id, *person).where(requests.closed_at.is_(None))
    with database.write() as session:
        session.execute(sa.insert(tables.APPROVERS).from_select(names, asked))


def _revoke(database: Database) -> None:
    with database.read() as session:
        whose = meant(session, "abiquo", None, MANAGER)
    revoke(database, whose, MANAGER, utc_now, lambda some: None)


def _purge(database: Database) -> None:
    batches = iter(range(BATCHES))

    def pause() -> None:
        if next(batches, None) is None:
            raise _Enough

    now = utc_now()
    try:
        purge(database, now - timedelta(days=1), now, pause)
    except _Enough:
        return


def _longest(what: str, database: Timed, act: Callable[[], object]) -> str:
    """On a busy machine the longest says less than the median and what was computed."""
    database.took.clear()
    act()
    took = database.took
    if not took:
        return f"| {what}: no write transaction | | | met |"
    longest, computed = max(t.time for t in took), max(t.computed for t in took)
    verdict = "met" if computed < WANTED else "**short**"
    return (
        f"| {what}, {len(took)} write transactions | computing < {WANTED:.0f} ms "
        f"| median {statistics.median(t.time for t in took):.1f} ms, longest {longest:.1f} ms, "
        f"of which at most {computed:.1f} ms computing | {verdict} |"
    )


def _reading(what: str, act: Callable[[], object]) -> str:
    begun = time.perf_counter()
    act()
    return f"| {what}: reading | | {1000 * (time.perf_counter() - begun):.1f} ms | |"

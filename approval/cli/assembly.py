"""Assembly: the real objects from the settings, and what has to be taken down again."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr

from flask import Flask

from approval.allowance import Allowance
from approval.cli.engines import build_engine, open_database, rounds_of
from approval.cli.keys import link_keys
from approval.cli.parts import (
    build_callers,
    build_patience,
    build_platform,
    build_policy,
    build_reconcile,
    build_room,
    build_templates,
    build_transport,
)
from approval.clock import utc_now
from approval.codes import Codes
from approval.config import Config
from approval.engine import Engine
from approval.engine.attempts import Rounds
from approval.engine.courtesy import Courtesy
from approval.engine.holding import Heartbeat, Holding
from approval.engine.jobs import Jobs
from approval.engine.temporal.settings import LOOKS
from approval.gate import Handler
from approval.gate.ask import Ask
from approval.gate.consider import Consider
from approval.gate.keys import Keys
from approval.gate.lapse import Lapse
from approval.gate.letters import Letters
from approval.gate.purge import Purge
from approval.gate.release import Release
from approval.gate.room import Room
from approval.gate.tell import Tell
from approval.links import Links, mark_of
from approval.mail import Transport
from approval.mail.message import Sender
from approval.mail.paced import Paced
from approval.metrics import Metrics
from approval.platforms import Platform
from approval.store import leases
from approval.store.database import Database
from approval.store.jobs import Kind
from approval.web.access import Door
from approval.web.answers import Answers
from approval.web.app import create_app
from approval.web.callback import callback_routes
from approval.web.health import health_routes
from approval.web.pages import Pages
from approval.web.strangers import Strangers

WEB_THREADS = 8
SIDE_BY_SIDE = 8  # tasks of one batch that are looked at together


@dataclass(frozen=True)
class Service:
    """A whole gate, not yet running."""

    database: Database
    jobs: Jobs
    engine: Engine
    heartbeat: Heartbeat
    app: Flask
    platform: Platform
    transport: Transport
    side_by_side: ThreadPoolExecutor
    keys: Keys | None

    def close(self) -> None:
        """Let go of everything that is held open."""
        self.side_by_side.shutdown()
        self.platform.close()
        self.transport.close()
        self.database.close()


def assemble(config: Config, *, works: bool = True) -> Service:
    """Build a gate; `works`: its engine is to run. Raises TemplateError, StoreDown, KeyBroken."""
    database = open_database(config, connections=WEB_THREADS + _workers(config))
    platform = build_platform(config)
    transport = build_transport(config)
    templates = build_templates(config, platform)
    for name in templates.names():
        templates.compile(name)  # a mistake is better found now than by the first mail
    keys = link_keys(config)
    links = Links(keys, config.public_url, config.links.valid)
    codes = Codes(keys) if config.links.code else None
    metrics = Metrics(database, utc_now)
    courtesy = Courtesy()
    side_by_side = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="look")
    sender = Sender(*parseaddr(config.mail.sender), reply_to=_address(config.mail.reply_to))
    letters = Letters(templates, links, sender, _subjects(config), codes)
    paced = Paced(transport, Allowance(config.mail.most_per_hour, timedelta(hours=1)), utc_now)
    ask = Ask(database, letters, paced, build_patience(config))
    operator = _address(config.mail.operator)
    tell = Tell(database, letters, paced, urgent=transport, operator=operator)
    room = build_room(config, database)
    notify = config.policy.notify_requester
    handlers: dict[Kind, Handler] = {
        Kind.CONSIDER: Consider(
            database, platform, build_policy(config), side_by_side, notify_requester=notify
        ),
        Kind.RELEASE: Release(database, platform, notify_requester=notify),
        Kind.LAPSE: Lapse(database, notify_requester=notify),
        Kind.ASK: ask.ask,
        Kind.REMIND: ask.remind,
        Kind.NOTE: tell.note,
        Kind.OUTCOME: tell.outcome,
        Kind.ALERT: tell.alert,
        Kind.RECONCILE: build_reconcile(config, database, platform, room, courtesy.wait),
        Kind.PURGE: Purge(database, config.policy.purge_after, courtesy.wait),
    }
    for kind in set(Kind) - {Kind.RELEASE}:
        handlers[kind] = courtesy.before(handlers[kind])
    own = Keys(database, [mark_of(key) for key in keys]) if config.links.signed else None
    if own:
        handlers[Kind.RECONCILE] = own.before(handlers[Kind.RECONCILE])
    rounds = Rounds(rounds_of(config), metrics.rounds)
    holding = _holding(database)
    jobs = Jobs(
        database, handlers, config.engine.give_up_after, utc_now, metrics.jobs, rounds, holding
    )
    engine = build_engine(config, database, jobs)
    if works:
        database.wake = engine.wake
    alive = (lambda: engine.alive) if works else None
    app = _app(config, database, platform, room, links, codes, Pages(templates), alive, metrics)
    app.wsgi_app = courtesy.wrap(app.wsgi_app)  # type: ignore[assignment, method-assign] # Flask's documented way
    heartbeat = Heartbeat(holding)
    return Service(database, jobs, engine, heartbeat, app, platform, transport, side_by_side, own)


def _holding(database: Database) -> Holding:
    """Leases that end soon, by one clock for all, where other processes wait for them."""
    if database.shared:
        return Holding(database, lambda: None, leases.SHORT_LEASE)
    return Holding(database, utc_now, leases.LEASE)


def _workers(config: Config) -> int:
    """The threads beside the web that use the database: of all lanes, the heartbeat, and looks."""
    return 3 * config.engine.threads + 2 + (LOOKS if config.engine.kind == "temporal" else 0)


def _app(
    config: Config,
    database: Database,
    platform: Platform,
    room: Room,
    links: Links,
    codes: Codes | None,
    pages: Pages,
    engine_alive: Callable[[], bool] | None,
    metrics: Metrics,
) -> Flask:
    door = Door(database, platform.name, links, utc_now, signed=config.links.signed)
    wrong_links = Allowance(config.links.wrong_per_minute, timedelta(minutes=1))
    answers = Answers(
        database,
        door,
        Strangers(wrong_links, door, pages, utc_now),
        pages,
        utc_now,
        metrics.decisions,
        one_click=config.links.one_click,
        notify_requester=config.policy.notify_requester,
        codes=codes,
    )
    return create_app(
        pages,
        [
            callback_routes(
                database, platform, room, build_callers(config), utc_now, metrics.callbacks
            ),
            answers.routes(),
            health_routes(database, engine_alive, metrics, utc_now),
        ],
        config.server.trusted_proxies,
    )


def _address(text: str | None) -> str | None:
    """The address in `Name <address>`."""
    return parseaddr(text or "")[1] or None


def _subjects(config: Config) -> dict[str, str]:
    """Subjects that the operator fixed, by the name of the mail."""
    fixed = {"request": config.mail.admin_subject, "outcome": config.mail.requester_subject}
    return {name: subject for name, subject in fixed.items() if subject}

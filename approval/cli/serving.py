"""`approval serve`, `web` and `worker`: a gate in one process, or its parts in several."""

import gc
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog

from approval.cli import binding
from approval.cli.assembly import WEB_THREADS, Service, assemble
from approval.clock import utc_now
from approval.config import Config
from approval.store import leases, pending
from approval.store.database import StoreDown
from approval.store.migrate import is_current
from approval.store.resting import alone
from approval.web.server import Server

FINISH = 30.0  # seconds that jobs under way have to end
ENDS = (signal.SIGTERM, signal.SIGINT)
log = structlog.get_logger("approval")


class NotServed(Exception):
    """Raised if this process cannot serve this store as things are."""


def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT. Raises NotServed, InUse, NotBound, StoreDown."""
    with _running(config, answers=True) as service:
        server = _server(service, config)
        with _working(service):
            server.run()


def web(config: Config) -> None:
    """Serve as `serve` does, and leave the work to others."""
    refuse_file(config)
    with _running(config, works=False, answers=True) as service:
        _server(service, config).run()


def work(config: Config) -> None:
    """Do the work until SIGTERM or SIGINT, and serve nobody."""
    refuse_file(config)
    with _signals_kept(), _running(config) as service, _working(service):
        log.info("working")
        signal.sigwait(ENDS)


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Keep signals, in the threads that begin meanwhile too, until they are waited for."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _running(config: Config, *, works: bool = True, answers: bool = False) -> Iterator[Service]:
    """A gate whose store is ready."""
    with alone(config.database_file):
        if answers:
            binding.try_out(config)  # before anything is set up
        service = assemble(config, works=works)
        try:
            prepare(service, config)
            yield service
            log.info("stopped")
        finally:
            service.close()


@contextmanager
def _working(service: Service) -> Iterator[None]:
    """Do the work meanwhile; at the end others get what was not finished."""
    service.jobs.begin_rounds()
    service.database.listen()
    service.heartbeat.start()
    service.engine.start()
    try:
        yield
    finally:
        service.engine.stop(FINISH)
        service.heartbeat.stop()
        with suppress(StoreDown):  # then their leases run out
            service.jobs.hand_back()


def _server(service: Service, config: Config) -> Server:
    """A server that stops when the process is told to."""
    address = config.server.bind_address
    with binding.told(config):
        server = Server(service.app, address, config.server.bind_port, WEB_THREADS)
    for number in ENDS:
        signal.signal(number, lambda *_: server.stop())
    log.info("serving", address=address, port=server.port, public_url=config.public_url)
    return server


def prepare(service: Service, config: Config) -> None:
    """See that what is stored fits this version and these settings. Raises NotServed."""
    _see_to_tables(service, config)
    look_at_keys(service)
    if config.policy.decline_after is None:
        _call_off(service)
    _keep_for_good()


def _keep_for_good() -> None:
    """Look for no more garbage among what is there by now, for it stays until the process ends.

    To look through it all takes 50 ms, in which no thread answers anybody.
    """
    gc.collect()
    gc.freeze()


def _see_to_tables(service: Service, config: Config) -> None:
    current = is_current(service.database)
    if not service.database.shared:
        if not current:
            _upgrade(config)
        _hand_back(service)
    elif not current:
        raise NotServed(
            "[server] database: it lacks the tables of this version; run "
            f"'approval db upgrade --config {config.file}'"
        )


def _upgrade(config: Config) -> None:
    """Set up the tables, in a process of its own, for what it needs is not needed to serve."""
    subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "approval", "db", "upgrade", "--config", str(config.file)],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _hand_back(service: Service) -> None:
    """Whoever held leases is gone, as we are alone: no need to wait for them to run out."""
    with service.database.write() as session:
        orphans = leases.hand_back(session, utc_now())
    if orphans:
        log.info("resuming jobs that were cut off", jobs=orphans)


def refuse_file(config: Config) -> None:
    """See that the store can be shared. Raises NotServed."""
    if config.database_file is not None:
        raise NotServed(
            "[server] database: a SQLite file is for one process, 'approval serve'; "
            "web and worker can share a PostgreSQL database"
        )


def look_at_keys(service: Service) -> None:
    """Warn if a key is missing that signed links of open requests."""
    strange = service.keys.look(utc_now()) if service.keys else 0
    if strange:
        log.warning("a key is missing that signed links of open requests", requests=strange)


def _call_off(service: Service) -> None:
    """Nothing is declined for the time it takes any more, so no page may say so."""
    with service.database.write() as session:
        kept = pending.never_decline(session)
    if kept:
        log.info("requests stay pending, as decline_after is never", requests=kept)

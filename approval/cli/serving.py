"""`approval serve`: the gate in one process, from the first lock to the last answer."""

import fcntl
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import structlog

from approval.cli.assembly import Service, assemble, database_file
from approval.clock import utc_now
from approval.config import Config
from approval.store import leases
from approval.store.database import StoreDown
from approval.store.migrate import is_current
from approval.web.server import Server

FINISH = 30.0  # seconds that jobs under way have to end
log = structlog.get_logger("approval")


class AlreadyServed(Exception):
    """Raised if another process serves the same SQLite file."""


def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT. Raises AlreadyServed, StoreDown or OSError at the start."""
    with _alone(database_file(config)):
        service = assemble(config)
        try:
            _run(service, config)
        finally:
            service.close()


def _run(service: Service, config: Config) -> None:
    if not is_current(service.database):
        _upgrade(config)
    _hand_back(service)
    server = Server(service.app, config.server.bind_address, config.server.bind_port)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    service.jobs.begin_rounds()
    service.engine.start()
    log.info("serving", address=config.server.bind_address, port=server.port,
             public_url=config.public_url)  # fmt: skip
    server.run()
    if not service.engine.stop(FINISH):
        _hand_back(service)
    log.info("stopped")


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


@contextmanager
def _alone(database: Path) -> Iterator[None]:
    """Hold the lock that keeps a second gate off the same SQLite file."""
    with _lock_file(database) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyServed(f"another gate serves {database} already") from error
        yield


def _lock_file(database: Path) -> TextIO:
    try:
        return database.with_name(database.name + ".lock").open("w")
    except OSError as error:
        raise StoreDown(
            f"[server] database: the gate has to write into {database.parent}: {error.strerror}"
        ) from error

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest

from approval.engine import Engine, embedded
from approval.engine.embedded import Embedded
from approval.engine.temporal.settings import Temporal as Section
from approval.engine.temporal.worker import TemporalEngine
from approval.store import sqlite as file_store
from tests import stores
from tests.gate.conftest import database, gate, make_gate, side_by_side, store
from tests.stores import File, Store
from tests.temporals import Temporal, new_queue, temporal

__all__ = ["database", "gate", "make_gate", "side_by_side", "store", "temporal"]
PATIENCE = 10.0  # seconds until a test that waits in vain fails
MakeEngine = Callable[..., Engine]


class Lock:
    """Somebody who can keep the gate from its store."""

    def __init__(self, close: Callable[[], object], open: Callable[[], None]) -> None:
        self.close = close
        self.open = open

    def after(self, gate, kind) -> None:
        """Lock when the next job of a kind has acted, before that is recorded."""
        handler = gate.handlers[kind]

        def acts_and_locks(job, now):
            gate.handlers[kind] = handler
            try:
                return handler(job, now)
            finally:
                self.close()

        gate.handlers[kind] = acts_and_locks


@contextmanager
def lock_of_file(store: File) -> Iterator[Lock]:
    """Another program that has the file open and writes."""
    path = store.path
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        yield Lock(
            lambda: other.execute("BEGIN IMMEDIATE"),
            lambda: other.execute("ROLLBACK"),
        )


@contextmanager
def lock_of_server(store: stores.Hosted) -> Iterator[Lock]:
    """An administrator who ends all connections and lets in no new ones."""
    with psycopg.connect(stores.maintenance(), autocommit=True) as other:

        def close() -> None:
            other.execute(f"ALTER DATABASE {store.name} ALLOW_CONNECTIONS false")
            other.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
                [store.name],
            )

        yield Lock(
            close, lambda: other.execute(f"ALTER DATABASE {store.name} ALLOW_CONNECTIONS true")
        )


@pytest.fixture
def lock(gate, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lock]:
    """A lock on the gate's store; the gate waits for it 50 ms, not two seconds."""
    monkeypatch.setattr(file_store, "PRAGMAS", (*file_store.PRAGMAS, "busy_timeout=50"))
    locked = lock_of_file(store) if isinstance(store, File) else lock_of_server(store)
    with locked as lock:
        yield lock


@pytest.fixture(params=["embedded", "temporal"])
def make_engine(request: pytest.FixtureRequest, gate) -> Iterator[MakeEngine]:
    """Makes engines of each kind for the gate, which wakes the last one; started by the test."""
    made = []
    if request.param == "temporal":
        make = engines_at(request.getfixturevalue("temporal"), gate)
    else:
        make = lambda threads=2: Embedded(gate.jobs, threads)  # noqa: E731

    def make_engine(threads: int = 2) -> Engine:
        engine = make(threads)
        gate.database.wake = engine.wake
        made.append(engine)
        return engine

    yield make_engine
    for engine in made:
        if engine.alive:
            assert engine.stop(PATIENCE)


def engines_at(server: Temporal, gate, queue: str = "") -> Callable[..., TemporalEngine]:
    """Makes engines for a gate that use a Temporal server, under one name there."""
    gate.database.hands_over = True
    section = Section(address=server.address, task_queue=queue or new_queue())

    def make(threads: int = 2) -> TemporalEngine:
        return TemporalEngine(section, gate.jobs, gate.database, "fake", threads, gate.clock)

    return make


@pytest.fixture
def engine(make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Works only when it is woken: the embedded one would look by itself in an hour."""
    monkeypatch.setattr(embedded, "LOOK_AT_LEAST_EVERY", 3600.0)
    engine = make_engine()
    engine.start()
    return engine

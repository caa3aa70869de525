import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from approval.store import database as store
from tests.gate.conftest import database, empty_store, gate, make_gate, side_by_side

__all__ = ["database", "empty_store", "gate", "make_gate", "side_by_side"]


class Lock:
    """Somebody else who has the gate's SQLite file open, and can keep everybody from writing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def close(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def open(self) -> None:
        self._connection.execute("ROLLBACK")

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


@pytest.fixture
def lock(gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lock]:
    """A lock on the gate's file; the gate waits for it 50 ms, not two seconds."""
    monkeypatch.setattr(store, "PRAGMAS", (*store.PRAGMAS, "busy_timeout=50"))
    file = tmp_path / "approval.db"
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        yield Lock(other)

import sqlite3
import subprocess
import sys
import threading
from contextlib import ExitStack, closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from approval.gate import audit
from approval.store import sqlite, trail
from approval.store.database import StoreDown
from approval.store.migrate import is_current, upgrade
from approval.store.tables import METADATA
from tests import stores
from tests.fakes import NOW
from tests.store.values import insert_in, on_disk
from tests.stores import opened

REQUESTER = '{"key": "users/1", "name": "Ana \u00e4", "address": "ana@example.org", "role": null}'


KEPT = {"payload": "bytea", "requester": "json", "missing": "json"}
TABLES = {
    "sqlite": "SELECT name FROM sqlite_master",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}
INDEXES = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL "
    "AND tbl_name NOT LIKE 'alembic%' ORDER BY name",
    "postgresql": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' "
    "AND tablename NOT LIKE 'alembic%' ORDER BY indexname",
}


@pytest.fixture
def bare(tmp_path):
    """A store without tables."""
    with stores.bare(tmp_path) as store:
        yield store


@pytest.fixture
def new(bare):
    with opened(bare) as database:
        yield database


def test_the_migrations_make_exactly_the_tables_that_the_gate_works_with(new):
    upgrade(new)
    with new.connection() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_the_migrations_make_the_same_indexes_and_constraints_as_the_tables(
    new, bare, tmp_path, store_kind
):
    upgrade(new)
    with stores.bare(tmp_path, "other.db") as other, opened(other) as made:
        with made.connection() as connection:
            METADATA.create_all(connection)
        assert on_disk(bare, INDEXES[store_kind]) == on_disk(other, INDEXES[store_kind])


def test_a_new_file_is_current_only_when_it_has_been_upgraded(new):
    assert not is_current(new)
    upgrade(new)
    assert is_current(new)


def test_upgrading_again_changes_nothing(new, bare):
    upgrade(new)
    insert_in(new, "1")
    upgrade(new)
    assert is_current(new)
    assert on_disk(bare) == ["1"]


def test_rows_of_the_first_tables_are_chained_and_vouched_for(new, bare):
    upgrade(new, "0001")
    at = "2026-01-02 03:04:05.678900" + ("+00" if stores.kind() == "postgresql" else "")
    for id, closed_at in (("a", at), ("b", None), ("c", None)):
        bare.change(
            "INSERT INTO approval_requests (id, platform, received_at, payload, requester,"
            " missing, closed_at) VALUES (?, 'abiquo', ?, ?, ?, ?, ?)",
            *(id, at, b"\0\xff", REQUESTER if id == "a" else None, '["disks"]', closed_at),
        )
    bare.change(
        "INSERT INTO tasks (id, request_id, platform, platform_task_id, held, state,"
        " decided_by, decided_at, reason, delivery, delivered_at) VALUES"
        " (7, 'a', 'abiquo', 't', ?, 'accepted', 'Bea', ?, 'fine', 'delivered', ?)",
        *('{"id": "t", "type": "DEPLOY"}', at, at),
    )
    bare.change(
        "INSERT INTO approvers (id, request_id, person_key, name, address, mail) VALUES"
        " (3, 'a', 'users/2', 'Bea', 'bea@acme.example', 'sent')"
    )
    bare.change("INSERT INTO votes VALUES (1, 7, 3, 'accept', 'fine', ?)", at)
    for request_id, task_id, kind, text in (
        ("a", None, "received", "1 task from Abiquo"),
        ("b", None, "received", "1 task from Abiquo"),
        ("a", None, "asked", "Bea"),
        ("a", 7, "accepted", "by Bea: fine"),
        ("a", 7, "delivered", "told"),
    ):
        bare.change(
            "INSERT INTO events (request_id, task_id, at, kind, text) VALUES (?, ?, ?, ?, ?)",
            *(request_id, task_id, at, kind, text),
        )
    upgrade(new)
    with new.read() as session:
        assert [*audit.faults(session), *audit.gaps(session)] == []
        assert trail.kinds(session, "a") == [
            "received", "asked", "accepted", "delivered", "chained",
        ]  # fmt: skip
        assert trail.kinds(session, "c") == ["chained"]
    for column, value in (("payload", b"1"), ("requester", None), ("missing", "[]")):
        assert len(faults_of(bare, new, column, value)) == 1
    with new.write() as session:
        trail.record(session, "a", "told", "", NOW)
    with new.read() as session:
        assert list(audit.faults(session)) == []


def faults_of(store, database, column, value):
    """What is wrong while somebody has changed a request."""
    store.change(f"ALTER TABLE approval_requests ADD kept {KEPT[column]}")
    store.change(f"UPDATE approval_requests SET kept = {column}")  # noqa: S608
    store.change(f"UPDATE approval_requests SET {column} = ? WHERE id = 'a'", value)  # noqa: S608
    with database.read() as session:
        faults = list(audit.faults(session))
    store.change(f"UPDATE approval_requests SET {column} = kept")  # noqa: S608
    store.change("ALTER TABLE approval_requests DROP kept")
    return faults


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(new, bare, store_kind):
    bare.change("CREATE TABLE votes (id INTEGER)")
    with pytest.raises(StoreDown):
        upgrade(new)
    assert on_disk(bare, TABLES[store_kind]) == ["votes"]


UPGRADE = """
import sys
from approval.store.database import Database
from approval.store.migrate import upgrade
upgrade(Database(sys.argv[1]))
"""


@pytest.mark.only_on("sqlite")
def test_an_upgrade_of_a_new_file_waits_longer_for_another_than_a_gate_does(new, bare, monkeypatch):
    monkeypatch.setattr(sqlite, "PRAGMAS", ("busy_timeout=1",))
    other = sqlite3.connect(bare.path, isolation_level=None, check_same_thread=False)
    with closing(other):
        other.execute("BEGIN IMMEDIATE")
        end = threading.Timer(0.2, other.execute, ["COMMIT"])
        end.start()
        upgrade(new)
        end.join()
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreDown), new.write():
            pass
    assert is_current(new)


def test_upgrades_by_several_processes_at_once_are_one(new, bare):
    commands = [[sys.executable, "-c", UPGRADE, bare.url]] * 2
    with ExitStack() as stack:
        processes = [stack.enter_context(subprocess.Popen(command)) for command in commands]
    assert [process.returncode for process in processes] == [0] * 2
    assert is_current(new)

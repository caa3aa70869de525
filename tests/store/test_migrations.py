import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from approval.gate import audit
from approval.store import trail
from approval.store.database import Database, StoreDown
from approval.store.migrate import is_current, upgrade
from approval.store.tables import Base
from tests.fakes import NOW
from tests.gate.faked import opened
from tests.store.values import insert_in, on_disk

REQUESTER = '{"key": "users/1", "name": "Ana \u00e4", "address": "ana@example.org", "role": null}'


@pytest.fixture
def new(tmp_path):
    with opened(tmp_path / "new.db") as database:
        yield database


def test_the_migrations_make_exactly_the_tables_of_the_models(new):
    upgrade(new)
    with new.connection() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_migrations_make_the_same_indexes_and_constraints_as_the_models(new, tmp_path):
    upgrade(new)
    with opened(tmp_path / "models.db") as models, models.connection() as connection:
        Base.metadata.create_all(connection)
    query = (
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL "
        "AND tbl_name NOT LIKE 'alembic%' ORDER BY name"
    )
    migrated, modelled = on_disk(tmp_path / "new.db", query), on_disk(tmp_path / "models.db", query)
    assert migrated == modelled


def test_a_new_file_is_current_only_when_it_has_been_upgraded(new):
    assert not is_current(new)
    upgrade(new)
    assert is_current(new)


def test_upgrading_again_changes_nothing(new, tmp_path):
    upgrade(new)
    insert_in(new, "1")
    upgrade(new)
    assert is_current(new)
    assert on_disk(tmp_path / "new.db") == ["1"]


def test_rows_of_the_first_tables_are_chained_and_vouched_for(new, tmp_path):
    upgrade(new, "0001")
    at = "2026-01-02 03:04:05.678900"
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection, connection:
        for id, closed_at in (("a", at), ("b", None), ("c", None)):
            connection.execute(
                "INSERT INTO approval_requests (id, platform, received_at, payload, requester,"
                " missing, closed_at) VALUES (?, 'abiquo', ?, x'00ff', ?, ?, ?)",
                (id, at, REQUESTER if id == "a" else None, '["disks"]', closed_at),
            )
        connection.execute(
            "INSERT INTO tasks (id, request_id, platform, platform_task_id, held, state,"
            " decided_by, decided_at, reason, delivery, delivered_at) VALUES"
            " (7, 'a', 'abiquo', 't', '{}', 'accepted', 'Bea', ?, 'fine', 'delivered', ?)",
            (at, at),
        )
        connection.executemany(
            "INSERT INTO events (id, request_id, task_id, at, kind, text)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (1, "a", None, at, "received", "1 task from Abiquo"),
                (2, "b", None, at, "received", "1 task from Abiquo"),
                (3, "a", 7, at, "accepted", "by Bea: fine"),
                (4, "a", 7, at, "delivered", "told"),
            ],
        )
    upgrade(new)
    with new.read() as session:
        assert [*audit.faults(session), *audit.gaps(session)] == []
        assert trail.kinds(session, "a") == ["received", "accepted", "delivered", "chained"]
        assert trail.kinds(session, "c") == ["chained"]
    for column, value in (("payload", b"1"), ("requester", None), ("missing", "[]")):
        assert len(faults_of(tmp_path / "new.db", column, value)) == 1
    with new.write() as session:
        trail.record(session, "a", "told", "", NOW)
    with new.read() as session:
        assert list(audit.faults(session)) == []


def faults_of(file, column, value):
    """What is wrong with a copy in which somebody changed a request."""
    with closing(sqlite3.connect(file)) as connection:
        whole = connection.serialize()
    copy = file.with_name("copy.db")
    copy.write_bytes(whole)
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute(f"UPDATE approval_requests SET {column} = ? WHERE id = 'a'", [value])  # noqa: S608
    with opened(copy) as database, database.read() as session:
        return list(audit.faults(session))


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(new, tmp_path):
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        connection.execute("CREATE TABLE votes (id INTEGER)")
    with pytest.raises(StoreDown):
        upgrade(new)
    assert on_disk(tmp_path / "new.db", "SELECT name FROM sqlite_master") == ["votes"]


@pytest.mark.parametrize("table", ["tasks", "approvers", "events"])
def test_an_id_that_people_hold_is_never_used_twice(database, tmp_path, table):
    [sql] = on_disk(
        tmp_path / "approval.db",
        f"SELECT sql FROM sqlite_master WHERE name = '{table}'",  # noqa: S608
    )
    assert "AUTOINCREMENT" in sql


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 2000)],
)
def test_every_connection_holds_what_the_store_promises(database, pragma, value):
    for opened_for in (database.read, database.write):
        with opened_for() as session:
            assert session.scalar(sa.text(f"PRAGMA {pragma}")) == value


def test_a_store_that_cannot_be_opened_is_down(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/no/such/folder/approval.db")
    with pytest.raises(StoreDown):
        upgrade(database)
    with pytest.raises(StoreDown), database.read() as session:
        session.execute(sa.text("SELECT 1"))
    database.close()


def test_a_file_that_is_no_database_is_down(tmp_path):
    (tmp_path / "odd.db").write_bytes(b"not a database, but long enough to be read as one" * 50)
    with opened(tmp_path / "odd.db") as database, pytest.raises(StoreDown):
        upgrade(database)

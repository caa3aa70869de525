"""What the gate makes SQLite promise."""

import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

from approval.store.database import Database, StoreDown
from approval.store.migrate import upgrade
from tests.store.values import insert_in, on_disk
from tests.stores import File, opened

pytestmark = pytest.mark.only_on("sqlite")


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 2000)],
)
def test_every_connection_holds_what_the_store_promises(database, pragma, value):
    for opened_for in (database.read, database.write):
        with opened_for() as session:
            assert session.scalar(sa.text(f"PRAGMA {pragma}")) == value


@pytest.mark.parametrize("table", ["tasks", "approvers", "events"])
def test_an_id_that_people_hold_is_never_used_twice(database, store, table):
    [sql] = on_disk(store, f"SELECT sql FROM sqlite_master WHERE name = '{table}'")  # noqa: S608
    assert "AUTOINCREMENT" in sql


def test_while_another_program_holds_the_file_the_store_is_down_and_then_works(database, store):
    with database.write() as session:
        session.execute(sa.text("PRAGMA busy_timeout = 0"))
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreDown, match="locked"):
            insert_in(database, "1")
        other.execute("ROLLBACK")
    insert_in(database, "2")
    assert on_disk(store) == ["2"]


def test_a_store_that_cannot_be_opened_is_down(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/no/such/folder/approval.db")
    with pytest.raises(StoreDown):
        upgrade(database)
    with pytest.raises(StoreDown), database.read() as session:
        session.execute(sa.text("SELECT 1"))
    database.close()


def test_a_file_that_is_no_database_is_down(tmp_path):
    odd = File(tmp_path / "odd.db")
    odd.path.write_bytes(b"not a database, but long enough to be read as one" * 50)
    with opened(odd) as database, pytest.raises(StoreDown):
        upgrade(database)

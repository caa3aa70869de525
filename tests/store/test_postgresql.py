"""What only a server can do to the gate, and what several processes need of it."""

import sys
import threading
from contextlib import ExitStack, suppress
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy as sa

import approval.store
from approval.gate import audit
from approval.store import alerts, driver, jobs, leases, locks, machines, postgresql, trail
from approval.store.database import DRIVER, Database, StoreDown
from approval.store.jobs import Kind, Lane
from approval.store.leases import SHORT_LEASE
from tests.conftest import wait_until
from tests.fakes import NOW, make_machine
from tests.relay import relay, unix
from tests.store.values import insert, insert_in, on_disk
from tests.stores import maintenance, opened

pytestmark = pytest.mark.only_on("postgresql")


def end_all_connections(store):
    """As a restart of the server does."""
    with psycopg.connect(maintenance(), autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
            [store.name],
        )


# The server.


def test_after_a_restart_of_the_server_no_use_case_notices(database, store):
    insert_in(database, "1")
    with database.read() as reader:
        reader.execute(sa.text("SELECT 1"))
    end_all_connections(store)
    insert_in(database, "2")
    with database.read() as reader:
        assert reader.scalar(sa.text("SELECT count(*) FROM tasks")) == 2


def test_a_connection_that_is_cut_within_a_use_case_leaves_nothing_of_it(database, store):
    def use_case():
        with database.write() as session:
            insert(session, "1")
            end_all_connections(store)
            insert(session, "2")

    with pytest.raises(StoreDown):
        use_case()
    assert on_disk(store) == []
    insert_in(database, "3")
    assert on_disk(store) == ["3"]


def test_a_server_that_is_not_there_is_down(tmp_path):
    database = Database(f"postgresql://gate@/approval?host={tmp_path}")
    with pytest.raises(StoreDown, match="connection"):
        insert_in(database, "1")
    database.close()


@pytest.fixture
def line(store):
    """A relay between the gate and the server, and the address of the store behind it."""
    with relay(unix(f"{store.server}/.s.PGSQL.5432")) as line:
        yield line, f"postgresql://postgres@127.0.0.1:{line.port}/{store.name}"


def test_a_server_that_says_nothing_is_down_in_time_and_up_again(line, store, monkeypatch):
    between, url = line
    database = Database(url)
    insert_in(database, "1")
    monkeypatch.setattr(driver, "PATIENCE", 0.3)
    between.hang()
    with pytest.raises(StoreDown, match="has not answered"):
        insert_in(database, "2")
    between.go_on()
    monkeypatch.undo()
    insert_in(database, "3")
    assert {"1", "3"} <= set(on_disk(store))
    database.close()


def test_a_server_that_says_nothing_is_noticed_before_a_connection_is_made(line, monkeypatch):
    between, url = line
    monkeypatch.setitem(postgresql.LINE, "connect_timeout", 2)
    database = Database(url)
    between.hang()
    with pytest.raises(StoreDown):
        insert_in(database, "1")
    database.close()


def test_who_waits_too_long_for_somebody_else_is_told_that_the_store_is_down(store, monkeypatch):
    monkeypatch.setitem(postgresql.LIMITS, "lock_timeout", 50)
    with opened(store) as database:
        request_id = insert_in(database, "1")
        with database.write() as session:
            locks.hold(session, request_id)
            with pytest.raises(StoreDown, match="lock timeout"), database.write() as other:
                locks.hold(other, request_id)


def test_without_its_driver_it_is_said_what_to_install(monkeypatch):
    monkeypatch.delattr(approval.store, "driver")
    monkeypatch.delitem(sys.modules, "approval.store.driver")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreDown) as told:
        Database("postgresql://gate@db.example.com/approval")
    assert str(told.value) == DRIVER


def test_a_password_is_in_no_message(tmp_path):
    database = Database(f"postgresql://gate:sesame@/approval?host={tmp_path}")
    with pytest.raises(StoreDown) as told:
        insert_in(database, "1")
    assert "sesame" not in str(told.value)
    database.close()


# Texts that PostgreSQL would refuse.


def test_a_nul_is_replaced_and_the_trail_stays_true(database, store):
    with database.write() as session:
        request_id = insert(session, "1")
        trail.record(session, request_id, "told", "half\0way", NOW)
    assert "half\N{REPLACEMENT CHARACTER}way" in on_disk(store, "SELECT text FROM events")


# Several at the same time.


def crosswise(database, *use_cases):
    """Run use cases in threads that begin together; returns what went wrong."""
    wrong, start = [], threading.Barrier(len(use_cases))

    def run(use_case):
        try:
            start.wait()
            with database.write() as session:
                use_case(session)
        except Exception as error:  # noqa: BLE001 - that is what the tests look at
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(each,)) for each in use_cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def test_a_trouble_and_a_machine_are_noted_by_many_at_once(database, store):
    def note(session):
        alerts.note(session, "disk", "Disk", "full", "empty it", NOW)
        machines.remember(session, "fake", make_machine(), NOW)

    assert crosswise(database, *[note] * 8) == []
    assert on_disk(store, "SELECT key FROM alerts") == ["disk"]


def test_who_writes_about_the_same_requests_waits_in_line(database, store):
    first, second = insert_in(database, "1"), insert_in(database, "2")

    def tell(*request_ids):
        def use_case(session):
            locks.hold(session, *request_ids)
            for request_id in request_ids:
                trail.record(session, request_id, "told", "", NOW)

        return use_case

    assert crosswise(database, *[tell(first, second), tell(second, first)] * 4) == []
    told = on_disk(store, "SELECT count(*) FROM events WHERE kind = 'told'")
    assert told == [16]


# Leases, by the server's clock.


def promise(database, *subjects):
    with database.write() as session:
        for subject in subjects:
            jobs.add(session, Kind.ALERT, subject, None, NOW)


def claim(database, length=SHORT_LEASE):
    with database.write() as session:
        return leases.claim(session, Lane.MAIL, None, length=length)


def test_a_lease_that_has_run_out_is_anybodys(database):
    promise(database, "1")
    first = claim(database, timedelta())
    second = claim(database)
    assert (first.id, first.attempts, second.attempts) == (second.id, 1, 2)
    assert claim(database) is None


def test_a_lease_that_is_kept_is_nobody_elses(database):
    promise(database, "1", "2")
    held = [claim(database, timedelta(milliseconds=200)) for _ in range(2)]
    with database.write() as session:
        assert leases.keep(session, held, None, SHORT_LEASE) == 2
        assert leases.due_in(session, Lane.MAIL, None) > SHORT_LEASE / 2
    assert claim(database) is None


def test_a_lease_that_was_lost_cannot_be_kept(database):
    promise(database, "1")
    lost = claim(database, timedelta())
    claim(database)
    with database.write() as session:
        assert leases.keep(session, [lost], None, SHORT_LEASE) == 0


def test_who_ends_gives_back_what_is_theirs_and_no_more(database):
    promise(database, "1", "2")
    mine, yours = claim(database), claim(database)
    with database.write() as session:
        assert leases.give_back(session, [mine], NOW) == 1
    assert claim(database).id == mine.id
    with database.write() as session:
        assert leases.finish(session, yours, NOW) is True


# The trail.


def test_a_head_holds_for_ever_though_others_commit_in_another_order(database):
    slow = ExitStack()
    first = slow.enter_context(database.write())
    insert(first, "1")
    insert_in(database, "2")
    last = audit.complete_up_to(database, slow.close)
    with database.read() as session:
        kept = audit.head(session, last=last)
        assert kept.events == 2
    insert_in(database, "3")
    with database.read() as session:
        assert audit.head(session, kept.events) == kept


def test_a_head_waits_for_none_who_began_later(database):
    insert_in(database, "1")
    last = audit.complete_up_to(database, pytest.fail)
    with database.write() as session:
        insert(session, "2")
        with database.read() as reader:
            assert audit.head(reader, last=last).events == 1


# Processes hear of each other's jobs.


@pytest.fixture
def heard(store):
    """The lanes of which another process hears."""
    heard = []
    with opened(store) as other:
        other.wake = heard.extend
        other.listen()
        wait_until(lambda: on_disk(store, "SELECT 1 FROM pg_stat_activity WHERE query ~ '^LISTEN'"))
        yield heard


class Undone(Exception):
    """The use case is not to be."""


def test_a_job_is_heard_of_elsewhere_when_it_is_committed(database, heard):
    with suppress(Undone), database.write() as session:
        jobs.add(session, Kind.RELEASE, "1", None, NOW)
        raise Undone
    with database.write() as session:
        jobs.add(session, Kind.ALERT, "1", None, NOW)
        jobs.add(session, Kind.ALERT, "2", None, NOW)
    wait_until(lambda: heard)
    assert heard == [Lane.MAIL]


def test_who_listens_does_so_again_when_the_connection_was_cut(database, heard, store, monkeypatch):
    end_all_connections(store)

    def hears():
        with database.write() as session:
            jobs.add(session, Kind.ALERT, "1", None, NOW)
        return heard

    wait_until(hears)


def test_who_listens_does_so_again_after_whatever_went_wrong(database, store):
    heard = []

    def wake(lanes):
        heard.extend(lanes)
        if len(heard) == 1:
            raise ValueError("a lane of a newer version")

    with opened(store) as other:
        other.wake = wake
        other.listen()

        def hears_again():
            promise(database, "1")
            return len(heard) > 1

        wait_until(hears_again)


def test_a_process_does_not_hear_itself(database, heard):
    woken = []
    database.wake = woken.extend
    database.listen()
    promise(database, "1")
    wait_until(lambda: heard)
    assert woken == [Lane.MAIL]

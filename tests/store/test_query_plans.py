"""No query that runs with each callback, press or job reads a whole table."""

import re
import sqlite3
from contextlib import closing, contextmanager
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy as sa

from approval.engine.temporal.story import story_of
from approval.gate.ask import Patience
from approval.gate.keys import Keys
from approval.gate.mistype import mistype
from approval.gate.renew import renew, renew_all
from approval.gate.revoke import lift
from approval.gate.vote import open_request
from approval.model import Action, PlatformState
from approval.store import (
    leases,
    machines,
    owners,
    pending,
    requests,
    retention,
    tasks,
    trail,
    wakes,
)
from approval.store.jobs import Kind, Lane
from approval.store.wakes import Wake
from bench.stock import fill_hosted
from tests import stores
from tests.fakes import BEA, MAX, make_held, make_machine, refused

# An index that holds nothing but what is open; and what SQLite calls a row that is no table.
OPEN = "ix_approval_requests_open"
SMALL = ("CONSTANT ROW", OPEN)
DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path):
    """One of its own: a server plans by what it knows of a database, also from another test."""
    with stores.fresh(tmp_path) as store:
        yield store


@contextmanager
def statements():
    """What is sent to the database meanwhile: pairs of SQL and parameters."""
    sent = []

    def keep(connection, cursor, statement, parameters, context, executemany):
        sent.append((statement, parameters[0] if isinstance(parameters, list) else parameters))

    sa.event.listen(sa.Engine, "before_cursor_execute", keep)
    try:
        yield sent
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", keep)


def scans(store, sent):
    """The statements that read a whole table, with the database's words for it."""
    explain = {"sqlite": scans_of_sqlite, "postgresql": scans_of_postgresql}[stores.kind()]
    kinds = ("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")
    looked_at = [pair for pair in sent if pair[0].startswith(kinds)]
    return list(explain(store, looked_at))


def scans_of_sqlite(store, sent):
    with closing(sqlite3.connect(store.path)) as connection:
        for statement, parameters in sent:
            for *_, words in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters):
                small = any(name in words for name in SMALL)
                if words.startswith(("SCAN", "USE TEMP")) and not small:
                    yield words, statement


def scans_of_postgresql(store, sent):
    """Tables are empty here, so it is told to read none as a whole unless nothing else will do."""
    with psycopg.connect(store.url) as connection:
        connection.execute("SET enable_seqscan = off")
        for statement, parameters in sent:
            [[[plan]]] = connection.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            for node in nodes(plan["Plan"]):
                through = node["Node Type"] in ("Index Scan", "Index Only Scan")
                whole = through and "Index Cond" not in node and node["Index Name"] != OPEN
                if node["Node Type"] == "Seq Scan" or whole:
                    yield node, statement


def nodes(plan):
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def receive(gate):
    gate.receive("3", "4")


def receive_again(gate):
    gate.callback("1", "2")


def consider(gate):
    gate.platform.machines["3"] = make_machine()
    gate.receive(make_held("3", type="RECONFIGURE"))
    gate.jobs.run_next(Lane.CONSIDER)


def open_links(gate):
    gate.open(BEA, "1", "2")
    gate.open(None, "1")
    open_request(gate.database, gate.approver(gate.first, BEA).id)


def press(gate):
    gate.press(BEA, Action.ACCEPT, "1", "2")


def press_too_late(gate):
    opened = gate.open(MAX, "1")
    gate.press(BEA, Action.ACCEPT, "1")
    gate.count(opened, Action.DECLINE)


def release(gate):
    gate.press(BEA, Action.ACCEPT, "1")
    gate.jobs.run_next(Lane.RELEASE)


def mail(gate):
    gate.press(BEA, Action.ACCEPT, "1", "2")
    while gate.jobs.run_next(Lane.MAIL):
        pass


def fail(gate):
    gate.platform.broken["release"] = gate.mails.broken = RuntimeError("a bug")
    gate.press(BEA, Action.ACCEPT, "1", "2")
    gate.work()


def look_for_work(gate):
    for lane in Lane:
        assert gate.jobs.run_next(lane) is False
        gate.jobs.next_due(lane)


def run_one_request(gate):
    gate.jobs.run_due(gate.first)


def renew_link(gate):
    gate.clock.now = gate.clock.now.replace(day=28)
    renew(gate.database, gate.open(BEA, "1"), gate.clock())


def remind(gate):
    gate.pass_time(days=1)


def lapse(gate):
    gate.pass_time(days=3)


def count_pending(gate):
    with gate.database.read() as session:
        pending.count(session)


def call_off(gate):
    with gate.database.write() as session:
        pending.never_decline(session)


def reconcile(gate):
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    gate.platform.states["1"] = PlatformState.HELD  # though it was told
    gate.platform.states["2"] = PlatformState.CANCELLED
    gate.platform.hold(make_held("3"), make_held("4"))
    gate.platform.errors["release"] = [refused()]
    gate.ask("5")
    gate.press(BEA, Action.ACCEPT, "5")
    gate.clock.now = gate.clock.now.replace(day=28)
    gate.work()
    gate.jobs.begin_rounds()
    gate.jobs.run_next(Lane.UPKEEP)
    gate.platform.states["5"] = PlatformState.GONE
    gate.round()
    gate.platform.states["5"] = PlatformState.CONTINUED
    gate.round()


def mistype_code(gate):
    approver = gate.approver(gate.first, BEA)
    for _ in range(6):
        mistype(gate.database, approver, gate.clock())


def revoke_request(gate):
    gate.withdraw(gate.first)
    gate.withdraw(gate.first, act=lift)


def renew_all_links(gate):
    assert gate.withdraw(act=renew_all)


def miss_a_key(gate):
    assert Keys(gate.database, ["another"]).look(gate.clock())


def revoke_person(gate):
    assert gate.withdraw(None, BEA.address.upper())
    assert gate.withdraw(None, BEA.address, act=lift)


def purge_some(gate):
    gate.press(BEA, Action.ACCEPT, "1", "2")
    gate.pass_time(days=2)
    now = gate.clock()
    with gate.database.write() as session:
        [request_id] = retention.closed_before(session, now, 20)
        retention.strip(session, [request_id], now)
        trail.record(session, request_id, "purged", "", now)
        retention.forget_machines(session, now, 20)


def hand_over(gate):
    gate.database.hands_over = True
    gate.press(BEA, Action.ACCEPT, "1")
    with gate.database.write() as session:
        wakes.done(session, [Wake(gate.first, "1", gate.clock())])
        wakes.overdue(session, gate.clock() + DAY, 100)  # twice, the second time but for some
        story_of(session, requests.load(session, gate.first), "fake", searchable=True)
        owners.take_over(session, Lane.MAIL, gate.first, gate.clock())
        owners.take_over(session, Lane.MAIL, "alert", gate.clock())
        leases.claim(session, Lane.MAIL, gate.clock(), "alert")
        owners.failing(session, Kind.RECONCILE)
        owners.dues_of(session, "alert")


def one_by_one(gate):
    with gate.database.write() as session:
        tasks.known(session, "fake", ["1", "2", "3"])
        tasks.find(session, "fake", "1")
        requests.close_if_decided(session, gate.first, gate.clock())
        machines.last_known(session, "fake", ["machines/1"])
        leases.claim(session, Lane.MAIL, gate.clock(), gate.first)
        owners.dues_of(session, gate.first)
        leases.next_due(session, Lane.MAIL)


@pytest.mark.parametrize(
    "use_case",
    [
        receive,
        receive_again,
        consider,
        open_links,
        press,
        press_too_late,
        release,
        mail,
        fail,
        look_for_work,
        run_one_request,
        renew_link,
        remind,
        lapse,
        count_pending,
        call_off,
        reconcile,
        mistype_code,
        revoke_request,
        revoke_person,
        renew_all_links,
        miss_a_key,
        purge_some,
        hand_over,
        one_by_one,
    ],
)
def test_no_use_case_reads_a_whole_table(make_gate, store, use_case):
    if use_case is purge_some and stores.kind() == "postgresql":
        add_neighbours(store)
    gate = make_gate(patience=Patience(remind_after=(DAY,), decline_after=3 * DAY))
    gate.first = gate.ask("1", "2")
    with statements() as sent:
        use_case(gate)
    assert sent
    assert scans(store, sent) == []


def add_neighbours(store):
    """Add much that is old and has to be kept: beside nothing, reading all is the better plan."""
    with psycopg.connect(store.url, autocommit=True) as connection:
        fill_hosted(connection, 2000)
        connection.execute(
            "INSERT INTO machines (platform, key, machine, seen_at)"
            " SELECT 'fake', 'neighbours/' || n, '{}', now() + interval '9 y'"
            " FROM generate_series(1, 2000) AS n"
        )
        connection.execute(
            "INSERT INTO jobs (id, kind, subject, request_id, lane, due, made_at, attempts, run)"
            " SELECT id, 'note', id, id, 'mail', closed_at + interval '9 y', closed_at, 0, 0"
            " FROM approval_requests"
        )
        connection.execute("VACUUM ANALYZE")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM tasks",
        "SELECT * FROM jobs WHERE due < '2026-11-21 10:00'",
        "UPDATE tasks SET state = 'pending' WHERE state = 'accepted'",
    ],
)
def test_a_query_that_does_is_noticed(database, store, query):
    assert len(scans(store, [(query, ())])) == 1


def test_all_hot_queries_are_among_what_was_looked_at(gate):
    with statements() as sent:
        gate.first = gate.ask("1", "2")
        for use_case in (open_links, press, run_one_request, one_by_one):
            use_case(gate)
    looked_at = "\n".join(re.sub(r"\?|%\(.*?\)s(::\w+)?", "?", each) for each, _ in sent)
    for part in (
        "FROM tasks \nWHERE tasks.platform = ? AND tasks.platform_task_id IN",  # known
        "FROM tasks \nWHERE tasks.platform = ? AND tasks.platform_task_id = ?",  # find_task
        "min(jobs.due)",  # next_due
        "UPDATE jobs SET",  # claim
        "UPDATE tasks SET",  # settle
        "FROM tasks \nWHERE tasks.request_id = ?",  # load
        "FROM approvers \nWHERE approvers.request_id = ?",  # approvers
    ):
        assert part in looked_at


def test_an_event_costs_one_statement_more_than_itself(gate):
    request_id = gate.ask("1")
    with gate.database.write() as session, statements() as sent:
        trail.record(session, request_id, "told", "", gate.clock())
    written = [statement.split()[0] for statement, _ in sent]
    assert [word for word in written if word != "SAVEPOINT"] == ["UPDATE", "INSERT"]


def test_the_first_event_of_a_request_costs_nothing_but_itself(gate):
    with statements() as sent:
        gate.receive("9")
    assert [s for s, _ in sent if s.startswith("UPDATE approval_requests")] == []

"""Whatever is changed in the trail or in what it vouches for is found."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approval.gate import audit
from approval.model import Action
from tests import stores
from tests.fakes import BEA, make_held
from tests.gate.faked import FakedGate
from tests.stores import File, opened

pytestmark = pytest.mark.only_on("sqlite")
REQUEST = "approval_requests"


@pytest.fixture(scope="module")
def lived(side_by_side, tmp_path_factory, store_kind):
    """A file in which three requests went their way: decided, half decided, and new."""
    folder = tmp_path_factory.mktemp("lived")
    with stores.fresh_opened(folder) as database:
        gate = FakedGate(database, side_by_side)
        gate.ask("1", make_held("2"))
        gate.press(BEA, Action.ACCEPT, "1", comment="fine")
        gate.clock.now = gate.clock.now.replace(hour=12)
        gate.press(BEA, Action.DECLINE, "2")
        gate.clock.now = gate.clock.now.replace(hour=13)
        gate.work()
        gate.ask("3", "4")
        gate.press(BEA, Action.ACCEPT, "3")
        gate.clock.now = gate.clock.now.replace(hour=14)
        gate.work()
        gate.receive("5")
    content = (folder / "approval.db").read_bytes()
    assert not (folder / "approval.db-wal").exists()
    return content


def found(file):
    with opened(File(file)) as database, database.read() as session:
        return [*map(str, audit.faults(session)), *audit.gaps(session)]


@pytest.fixture
def change(lived, tmp_path):
    """Changes a fresh copy of the file behind the gate's back; returns what is found."""

    def change(*statements):
        file = tmp_path / "changed.db"
        file.write_bytes(lived)
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            for statement, *parameters in statements:
                connection.execute(statement, parameters)
            connection.commit()
        return found(file)

    return change


def test_what_nobody_changed_is_whole(change):
    assert change() == []


def rows(lived, tmp_path, query):
    file = tmp_path / "read.db"
    file.write_bytes(lived)
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


OTHER = st.one_of(
    st.none(),
    st.integers(-5, 100),
    st.text(max_size=8),
    st.binary(max_size=32),
    st.just("2026-11-21 12:34:56.000001"),
)
TASKS_COLUMNS = ["platform_task_id", "held", "machine", "previous"]
COLUMNS = [
    *[("tasks", name) for name in TASKS_COLUMNS],
    *[("events", name) for name in ("request_id", "position", "task_id", "at", "kind", "text")],
    *[("events", name) for name in ("salt", "digest", "hash", "id")],
    *[(REQUEST, name) for name in ("id", "platform", "received_at", "payload", "requester")],
    *[("votes", name) for name in ("task_id", "approver_id", "action", "comment", "cast_at")],
    *[("approvers", name) for name in ("request_id", "name", "address")],
    *[(REQUEST, name) for name in ("missing", "considered_at", "closed_at", "events", "purged_at")],
]
KINDS = {
    "at": st.datetimes().map(lambda at: at.strftime("%Y-%m-%d %H:%M:%S.%f").zfill(26)),
    "task_id": st.one_of(st.none(), st.integers(-1, 9)),
    "approver_id": st.one_of(st.none(), st.integers(-1, 9)),
    "action": st.sampled_from(["accept", "decline", "maybe"]),
    "position": st.integers(-1, 99),
    "id": st.integers(-5, 99),
    "events": st.integers(-1, 99),
    "text": st.one_of(st.none(), st.text(st.characters(exclude_characters="\0"), max_size=8)),
    "missing": st.lists(st.text("abc", max_size=3), max_size=2).map(repr),
    "salt": st.one_of(st.none(), st.binary(max_size=16)),
    "digest": st.binary(max_size=32),
    "hash": st.binary(max_size=32),
    "payload": st.binary(max_size=8),
}
KINDS |= dict.fromkeys(
    ("held", "machine", "previous"),
    st.sampled_from(['{"id": "1", "type": "UNDEPLOY"}', '{"key": "x"}', "[]", None]),
)
KINDS |= dict.fromkeys(("received_at", "cast_at"), KINDS["at"])
KINDS |= dict.fromkeys(
    ("considered_at", "closed_at", "purged_at"), st.one_of(st.none(), KINDS["at"])
)
REQUESTERS = st.one_of(
    st.none(),
    st.builds(
        '{{"key": "{}", "name": "{}", "address": null, "role": "USER"}}'.format,
        *[st.text("abz ", max_size=4)] * 2,
    ),
)


def values(table, column):
    if column == "requester":
        return REQUESTERS
    if table == REQUEST and column == "id":
        return st.text("0123456789abcdef", min_size=32, max_size=32)
    return KINDS.get(column, st.text("abcdef-", min_size=1, max_size=8))


@pytest.mark.parametrize(("table", "column"), COLUMNS)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_field_that_is_edited_is_found(lived, change, tmp_path, table, column, data):
    all_rows = rows(lived, tmp_path, f"SELECT rowid, {column} FROM {table}")  # noqa: S608
    if column == "held":
        del all_rows[-1]  # before the platform was asked, nobody knows what is true
    rowid, was = data.draw(st.sampled_from(all_rows))
    value = data.draw(values(table, column).filter(lambda value: value != was))
    try:
        faults = change((f"UPDATE {table} SET {column} = ? WHERE rowid = ?", value, rowid))  # noqa: S608
    except sqlite3.IntegrityError:
        return  # the database itself refuses it
    assert faults != [], (column, was, value)


def test_any_event_that_is_removed_is_found_with_its_place(lived, change, tmp_path):
    for id, request_id, position in rows(
        lived, tmp_path, "SELECT id, request_id, position FROM events"
    ):
        faults = change(("DELETE FROM events WHERE id = ?", id))
        assert any(f"request {request_id} event {position}: missing" in f for f in faults)
        assert f"events removed: number {id} of the whole trail" in faults


def test_a_whole_request_that_is_removed_leaves_a_gap(lived, change, tmp_path):
    for (request_id,) in rows(lived, tmp_path, f"SELECT id FROM {REQUEST}"):  # noqa: S608
        faults = change(
            *[
                (f"DELETE FROM {table} WHERE {column} = ?", request_id)  # noqa: S608
                for table, column in (("events", "request_id"), ("tasks", "request_id"),
                                      (REQUEST, "id"))
            ]
        )  # fmt: skip
        assert faults
        assert all(fault.startswith("events removed: number") for fault in faults)


def test_a_request_whose_row_is_removed_is_found(lived, change, tmp_path):
    for (request_id,) in rows(lived, tmp_path, f"SELECT id FROM {REQUEST}"):  # noqa: S608
        [fault] = change((f"DELETE FROM {REQUEST} WHERE id = ?", request_id))  # noqa: S608
        assert f"request {request_id}: the request is missing" in fault


def test_any_two_events_that_change_places_are_found(lived, change, tmp_path):
    pairs = rows(
        lived, tmp_path,
        "SELECT a.id, a.position, b.id, b.position FROM events a JOIN events b"
        " ON a.request_id = b.request_id AND a.position < b.position",
    )  # fmt: skip
    assert len(pairs) > 50
    for one, place, other, elsewhere in pairs:
        move = "UPDATE events SET position = ? WHERE id = ?"
        assert change((move, -1, one), (move, place, other), (move, elsewhere, one))


def test_any_two_events_that_change_requests_are_found(lived, change, tmp_path):
    pairs = rows(
        lived, tmp_path,
        "SELECT a.id, a.request_id, b.id, b.request_id FROM events a JOIN events b"
        " ON a.request_id < b.request_id AND a.position = b.position",
    )  # fmt: skip
    move = "UPDATE events SET request_id = ? WHERE id = ?"
    for one, mine, other, yours in pairs:
        assert change((move, "elsewhere", one), (move, mine, other), (move, yours, one))


@pytest.mark.parametrize("position", [0, 4, "(SELECT max(position) + 1 FROM events)"])
def test_an_event_that_is_inserted_is_found(change, position):
    copy = "INSERT INTO events (request_id, position, at, kind, text, salt, digest, hash) "
    move = "UPDATE events SET position = -position WHERE position >= 4"
    back = "UPDATE events SET position = 1 - position WHERE position < 0"
    room = [(move,), (back,)] if position == 4 else []
    insert = f"{copy} SELECT request_id, {position}, at, 'accepted', text, salt, digest, hash FROM events LIMIT 1"  # noqa: E501, S608
    assert change(*room, (insert,))


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE events SET kind = 'declined' WHERE kind = 'accepted'", "it was 'accepted'"),
        ("UPDATE events SET text = 'by Eve' WHERE kind = 'accepted'", "the text, its salt"),
        ("UPDATE events SET task_id = 2 WHERE kind = 'accepted'", "the task was changed; it was 1"),
        ("UPDATE events SET hash = x'00' WHERE id = 2", "the hash was changed"),
        ("UPDATE events SET digest = x'00' WHERE id = 2", "the digest was changed"),
        ("UPDATE events SET at = '2020-01-01 00:00:00.000000' WHERE id = 1", "the time was"),
        ("UPDATE tasks SET state = 'declined' WHERE id = 1", "state of task 1"),
        ("UPDATE tasks SET decided_by = 'Eve' WHERE id = 1", "decided_by or reason of task 1"),
        ("UPDATE tasks SET delivery = 'waiting' WHERE id = 1", "delivery of task 1"),
        ("UPDATE votes SET action = 'decline' WHERE task_id = 1", "the vote of task 1"),
        ("UPDATE votes SET approver_id = NULL WHERE task_id = 1", "the vote of task 1"),
        ("DELETE FROM votes WHERE task_id = 1", "the vote of task 1"),
        (
            "INSERT INTO votes SELECT 9, 4, 3, action, comment, cast_at FROM votes LIMIT 1",
            "of task 4",
        ),
        ("UPDATE approvers SET address = 'eve@evil.example' WHERE id = 1", "who was asked"),
        ("DELETE FROM approvers WHERE id = 4", "who was asked"),
    ],
)
def test_the_field_that_was_changed_is_named(change, statement, words):
    assert any(words in fault for fault in change((statement,)))


@pytest.mark.parametrize(
    ("table", "column", "nonsense"),
    [
        (REQUEST, "requester", "no JSON"),
        (REQUEST, "missing", "{"),
        (REQUEST, "received_at", "yesterday"),
        ("events", "at", "tomorrow"),
        ("events", "digest", 7),
        ("tasks", "state", "maybe"),
    ],
)
def test_nonsense_is_a_fault_of_its_own_request_alone(change, table, column, nonsense):
    faults = change((f"UPDATE {table} SET {column} = ? WHERE rowid = 1", nonsense))  # noqa: S608
    assert len(faults) == 1
    assert "cannot be read" in faults[0]


def test_the_requester_is_vouched_for(change):
    [fault] = change(
        ("UPDATE approval_requests SET requester = replace(requester, 'Ana', 'Eve')"
         " WHERE rowid = 1",)
    )  # fmt: skip
    assert "requester or missing is not as the trail says" in fault

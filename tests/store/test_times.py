from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from approval.store import jobs, leases, requests, tasks, trail
from approval.store.jobs import Kind, Lane
from tests.fakes import NOW, make_held
from tests.store.values import insert_in, on_disk

NAIVE = datetime(2026, 11, 21, 10, 0)  # noqa: DTZ001 - what must not get in


def receive_at(database, now):
    with database.write() as session:
        return requests.insert(session, "fake", [make_held("1")], b"", now)[0]


@pytest.mark.parametrize(
    "write",
    [
        lambda session, id: requests.insert(session, "fake", [make_held("2")], b"", NAIVE),
        lambda session, id: requests.describe(session, id, None, (), NAIVE),
        lambda session, id: tasks.deliver(session, 1, "delivered", "", NAIVE),
        lambda session, id: requests.close_if_decided(session, id, NAIVE),
        lambda session, id: trail.record(session, id, "received", "", NAIVE),
        lambda session, id: jobs.add(session, Kind.ASK, "1", id, NAIVE),
        lambda session, id: jobs.add(session, Kind.ASK, "1", id, NOW, due=NAIVE),
        lambda session, id: leases.claim(session, Lane.MAIL, NAIVE),
    ],
    ids=[
        *("insert", "describe", "deliver", "close"),
        *("record", "promise", "promise for later", "claim"),
    ],
)
def test_a_time_without_a_zone_is_refused_and_nothing_is_stored(database, store, write):
    request_id = insert_in(database, "1")

    def use_case():
        with database.write() as session:
            jobs.add(session, Kind.NOTE, "1", request_id, NOW)
            write(session, request_id)

    with pytest.raises(sa.exc.StatementError, match="without zone"):
        use_case()
    assert on_disk(store) == ["1"]
    assert on_disk(store, "SELECT id FROM jobs") == []


def test_times_come_back_aware_and_in_utc(database):
    request_id = receive_at(database, NOW)
    with database.read() as session:
        received_at = requests.load(session, request_id).received_at
    assert (received_at, received_at.tzinfo) == (NOW, UTC)


@pytest.mark.parametrize("hours", [-11, -1, 2, 14])
def test_times_of_other_zones_are_kept_in_utc(database, store, hours):
    request_id = receive_at(database, NOW.astimezone(timezone(timedelta(hours=hours))))
    with database.read() as session:
        assert requests.load(session, request_id).received_at == NOW
    [kept] = on_disk(store, "SELECT received_at FROM approval_requests")
    assert str(kept)[:19] == "2026-11-21 10:00:00"


def test_times_keep_their_microseconds(database):
    request_id = receive_at(database, NOW + timedelta(microseconds=1))
    with database.read() as session:
        kept = requests.load(session, request_id).received_at
    assert kept - NOW == timedelta(microseconds=1)


@pytest.mark.parametrize("microseconds", [-1, 0, 1])
def test_a_job_is_due_to_the_microsecond(database, microseconds):
    with database.write() as session:
        due = NOW + timedelta(microseconds=microseconds)
        jobs.add(session, Kind.ALERT, "disk", None, NOW, due)
    with database.write() as session:
        assert (leases.claim(session, Lane.MAIL, NOW) is not None) is (microseconds <= 0)


def test_a_time_in_a_value_keeps_its_instant(database):
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    with database.write() as session:
        held = make_held("1", held_since=elsewhere)
        request_id, _ = requests.insert(session, "fake", [held], b"", NOW)
    with database.read() as session:
        assert requests.load(session, request_id).tasks[0].held.held_since == NOW

"""The chain holds however many write it at the same time, and whatever became of their work."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from approval.audit import chain
from approval.gate import audit
from approval.store import audit as trails
from approval.store import trail
from tests.fakes import NOW
from tests.store.values import insert_in


def faults(database):
    with database.read() as session:
        return [*audit.faults(session), *audit.gaps(session)]


def events(database, request_id):
    with database.read() as session:
        return trails.whole(session, request_id)[2]


def test_events_that_are_added_at_the_same_time_make_one_chain(database):
    both = insert_in(database, "1"), insert_in(database, "2")

    def add(number):
        with database.write() as session:
            trail.record(session, both[number % 2], "told", str(number), NOW)
            trail.record(session, both[0], "mailed", str(number), NOW)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(60)))
    assert faults(database) == []
    assert [len(events(database, request_id)) for request_id in both] == [91, 31]


def test_what_was_rolled_back_leaves_no_trace_in_the_chain(database):
    request_id = insert_in(database, "1")

    def use_case():
        with database.write() as session:
            trail.record(session, request_id, "told", "", NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use_case()
    with database.write() as session:
        trail.record(session, request_id, "mailed", "", NOW)
    assert [event.kind for event in events(database, request_id)] == ["received", "mailed"]
    assert faults(database) == []


def test_an_event_follows_the_one_before_and_the_first_follows_the_request(database):
    request_id = insert_in(database, "1")
    with database.write() as session:
        trail.record(session, request_id, "told", "something", NOW)
    first, second = events(database, request_id)
    origin = chain.origin(request_id, "fake", NOW)
    assert first.hash == chain.link(origin, request_id, 1, NOW, "received", None, first.digest)
    assert second.hash == chain.link(
        first.hash, request_id, 2, NOW, "told", None, chain.digest_of(second.salt, "something")
    )


def test_how_an_event_is_hashed_does_not_change():
    """Exports that operators keep depend on it."""
    assert chain.origin("r", "fake", NOW).hex()[:16] == "0eb58ab5dd7fe245"
    digest = chain.digest_of(b"salt", "täxt")
    assert chain.link(bytes(32), "r", 2, NOW, "told", 7, digest).hex()[:16] == "bf868f7c5306ad44"

"""What only the embedded engine does."""

import psycopg
import pytest
from structlog.testing import capture_logs

from approval.engine import embedded, outage
from approval.engine.embedded import Embedded
from approval.engine.outage import Outage
from approval.model import Action, Delivery
from approval.store import leases
from approval.store.database import StoreDown
from approval.store.jobs import Kind, Lane
from tests.conftest import wait_until
from tests.engine.conftest import PATIENCE
from tests.fakes import BEA


@pytest.fixture
def logged():
    """What is logged."""
    with capture_logs() as entries:
        yield entries


def test_stopping_does_not_wait_for_a_store_that_is_locked(gate, lock, logged):
    gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1")
    lock.after(gate, Kind.RELEASE)
    engine = Embedded(gate.jobs, 1)
    engine.start()
    wait_until(lambda: "store down" in {entry["event"] for entry in logged})
    assert engine.stop(PATIENCE) is True
    lock.open()
    assert gate.task().delivery is Delivery.WAITING
    with gate.database.write() as session:
        assert leases.hand_back(session, gate.clock()) >= 1
    again = gate.worker()
    assert again.run_next(Lane.RELEASE)
    assert gate.task().delivery is Delivery.DELIVERED
    assert gate.platform.told == [("1", Action.ACCEPT)]


def test_what_is_not_recorded_when_it_stops_is_recorded_at_the_last_moment(
    gate, lock, logged, monkeypatch
):
    monkeypatch.setattr(embedded, "FIRST_PAUSE", 3600.0)
    gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1")
    lock.after(gate, Kind.RELEASE)
    engine = Embedded(gate.jobs, 1)
    engine.start()
    wait_until(lambda: "store down" in {entry["event"] for entry in logged})
    lock.open()
    assert engine.stop(PATIENCE) is True
    assert gate.task().delivery is Delivery.DELIVERED


def test_an_outage_is_logged_once_and_its_end_too_however_many_threads_meet_it(
    gate, logged, monkeypatch
):
    tries = []

    def run(lane, go_on):
        tries.append(lane)
        if len(tries) < 30:
            raise StoreDown("no such host")
        return False

    monkeypatch.setattr(gate.jobs, "run", run)
    engine = Embedded(gate.jobs, 6)
    engine.start()
    wait_until(lambda: "store is back" in {entry["event"] for entry in logged})
    assert engine.stop(PATIENCE) is True
    assert [entry["event"] for entry in logged] == ["store down", "store is back"]


def test_an_outage_that_lasts_is_logged_again(logged, monkeypatch):
    monkeypatch.setattr(outage, "SAY_EVERY", 0.0)
    lasting = Outage()
    for _ in range(2):
        lasting.note("mail", StoreDown("no such host"))
    assert [entry["event"] for entry in logged] == ["store down"] * 2


def test_an_outage_of_one_lane_is_not_over_because_another_works(logged):
    of_one = Outage()
    of_one.note("mail", StoreDown("full"))
    of_one.over("release")
    assert [entry["event"] for entry in logged] == ["store down"]
    of_one.over("mail")
    assert [entry["event"] for entry in logged] == ["store down", "store is back"]


@pytest.mark.only_on("postgresql")
def test_a_job_that_somebody_else_is_just_claiming_is_not_asked_for_without_end(
    gate, store, monkeypatch
):
    waits = []

    def wait(bell, heard, timeout):
        waits.append(timeout)
        waited(bell, heard, timeout)

    waited = embedded._Bell.wait
    monkeypatch.setattr(embedded._Bell, "wait", wait)
    request_id = gate.receive("1")
    engine = Embedded(gate.jobs, 1)
    with psycopg.connect(store.url) as other:
        other.execute("SELECT 1 FROM jobs FOR UPDATE")
        engine.start()
        wait_until(lambda: len(waits) > 2 * len(Lane))
        assert min(waits) >= embedded.SHORTEST
    wait_until(lambda: "verified" in gate.kinds(request_id))
    assert engine.stop(PATIENCE)

"""What is too old loses its personal data, and nothing else."""

from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import Counter, Gauge

from approval.engine.attempts import Rounds
from approval.engine.jobs import Jobs
from approval.gate import audit
from approval.gate.purge import EVERY, Purge, Purged, purge
from approval.gate.vote import NotAsked, open_request
from approval.model import Action, Delivery, PlatformState
from approval.store import audit as trails
from approval.store import jobs, retention
from approval.store.jobs import Kind, Lane
from approval.store.tables import METADATA
from tests.fakes import BEA, MAX, NOW, make_held, make_machine, refused

YEAR = timedelta(days=365)
PERSONAL = ["Ana", "ana@", "Bea", "bea@", "Max", "max@", "confidential", "salaries", "users/"]


def purged(gate, after=YEAR):
    now = gate.clock()
    return purge(gate.database, now - after, now, lambda: None)


def faults(gate):
    with gate.database.read() as session:
        return [*map(str, audit.faults(session)), *audit.gaps(session)]


@pytest.fixture
def old(gate):
    """A request that was closed and told more than a year ago."""
    machine = make_machine(label="salaries")
    gate.platform.machines["1"] = machine
    gate.platform.missing = ("the name of Ana's enterprise",)
    request_id = gate.ask(make_held("1", type="RECONFIGURE"))
    gate.press(BEA, Action.ACCEPT, "1", comment="confidential")
    gate.work()
    gate.pass_time(days=366)
    return request_id


def rows(store):
    """Everything that is in the store, as text."""
    return "".join(
        str(row)
        for table in METADATA.tables
        for row in store.rows(f"SELECT * FROM {table}")  # noqa: S608
    )


def test_nothing_personal_is_left_of_an_old_request(gate, old, store):
    before = rows(store)
    assert [word for word in PERSONAL if word not in before] == []
    assert purged(gate) == Purged(requests=1, machines=1)
    after = rows(store)
    assert [word for word in PERSONAL if word in after] == []


def test_what_happened_and_when_stays_and_can_be_verified(gate, old):
    kinds = gate.kinds(old)
    purged(gate)
    assert gate.kinds(old) == [*kinds, "purged"]
    assert faults(gate) == []
    task = gate.task()
    assert (task.state, task.delivery) == ("accepted", Delivery.DELIVERED)
    assert task.decision.at == NOW


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET kind = 'declined' WHERE kind = 'accepted'",
        "UPDATE events SET digest = '00' WHERE id = 1",
        "UPDATE events SET text = 'by Eve', salt = '00' WHERE kind = 'accepted'",
        "UPDATE events SET text = NULL WHERE kind = 'purged'",
        "UPDATE tasks SET state = 'declined'",
        "UPDATE approval_requests SET payload = '00'",
        "UPDATE approval_requests SET missing = '[\"x\"]'",
        "UPDATE approval_requests SET purged_at = NULL",
        "DELETE FROM events WHERE kind = 'purged'",
        "UPDATE votes SET action = 'decline'",
        "UPDATE votes SET comment = 'never'",
        "UPDATE approvers SET address = 'eve@example.org'",
    ],
)
def test_a_change_of_what_is_left_is_found(gate, old, store, change):
    purged(gate)
    store.change(change)
    assert faults(gate) != []


def test_an_export_of_before_agrees_with_the_trail_of_after(gate, old):
    with gate.database.read() as session:
        kept, head = list(trails.stream(session)), audit.head(session)
    purged(gate)
    with gate.database.read() as session:
        assert list(audit.differences(session, kept)) == []
        assert audit.head(session, head.events) == head


def test_a_text_of_which_only_the_digest_stays_cannot_be_guessed(gate, old):
    with gate.database.read() as session:
        [first, *_] = trails.stream(session)
    purged(gate)
    with gate.database.read() as session:
        [now, *_] = trails.stream(session)
    assert (now.text, now.salt) == (None, None)
    assert replace(now, text=first.text, salt=first.salt) == first
    assert len(first.salt) == 16


def test_a_purge_is_done_once(gate, old):
    purged(gate)
    kinds = gate.kinds(old)
    assert purged(gate) == Purged(0, 0)
    assert gate.kinds(old) == kinds


def test_more_than_one_batch_is_purged_with_a_pause_after_each(gate):
    for number in range(45):
        gate.ask(str(number))
        gate.press(None, Action.DECLINE, str(number))
        gate.work()
    gate.pass_time(days=366)
    pauses = []
    now = gate.clock()
    done = purge(gate.database, now - YEAR, now, lambda: pauses.append(1))
    assert (done, len(pauses)) == (Purged(45, 0), 3)
    assert faults(gate) == []


# What has to stay.


def untouched(gate, request_id):
    before = gate.request(request_id), gate.kinds(request_id)
    assert purged(gate).requests == 0
    assert (gate.request(request_id), gate.kinds(request_id)) == before
    return True


def test_an_open_request_is_never_purged(gate):
    request_id = gate.ask("1", "2")
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(days=800)
    assert untouched(gate, request_id)


def test_a_request_that_closed_a_moment_too_late_is_not_purged(gate):
    request_id = gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    gate.clock.now = NOW + YEAR
    assert untouched(gate, request_id)
    gate.clock.now += timedelta(microseconds=1)
    assert purged(gate).requests == 1


def test_a_decision_that_is_on_its_way_is_not_purged(gate):
    request_id = gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1")
    gate.clock.now += timedelta(days=800)
    assert gate.task().delivery is Delivery.WAITING
    assert untouched(gate, request_id)


@pytest.mark.parametrize("error", [refused(), RuntimeError("a bug")])
def test_a_decision_that_an_operator_has_to_see_to_is_not_purged(gate, error):
    request_id = gate.ask("1")
    gate.platform.broken["release"] = error
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(days=800)
    assert gate.task().delivery in (Delivery.REFUSED, Delivery.FAILED)
    assert untouched(gate, request_id)
    with gate.database.read() as session:
        assert retention.due(session, gate.clock() - YEAR).kept == 1
    gate.platform.broken.clear()
    gate.redeliver()
    gate.work()
    assert purged(gate).requests == 1


def test_a_decision_whose_task_the_platform_forgot_is_purged_like_others(gate):
    gate.jobs.begin_rounds()
    request_id = gate.ask("1")
    gate.platform.states["1"] = PlatformState.GONE
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(hours=2)
    gate.clock.now += timedelta(days=800)
    assert purged(gate).requests == 1
    assert gate.kinds(request_id)[-1] == "purged"
    assert faults(gate) == []


def test_a_mail_that_never_got_through_keeps_nothing(gate, store):
    gate.mails.refused = {MAX.address}
    gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(days=800)
    assert MAX.address in rows(store)
    assert purged(gate).requests == 1
    assert MAX.address not in rows(store)
    assert gate.redeliver() == []


def test_a_machine_that_was_met_of_late_is_remembered(gate, old):
    gate.platform.machines["2"] = make_machine()
    gate.ask("2")
    gate.press(BEA, Action.ACCEPT, "2")
    gate.work()
    assert purged(gate) == Purged(requests=1, machines=0)


# What others see of it.


def test_a_link_to_a_purged_request_leads_nowhere(gate, old):
    approver_id = gate.approver(old, BEA).id
    purged(gate)
    with pytest.raises(NotAsked):
        open_request(gate.database, approver_id)
    with pytest.raises(NotAsked):
        gate.open(None, "1")


def test_a_callback_that_repeats_a_purged_task_is_still_a_repeat(gate, old):
    purged(gate)
    received = gate.callback("1")
    assert (received.request_id, received.new) == (old, False)


# The job.


def worker(gate, after):
    gate.handlers[Kind.PURGE] = Purge(gate.database, after, lambda: None)
    counter = Counter("purges", "Jobs run.", ["kind", "end"], registry=None)
    last = Gauge("purged", "Last rounds.", ["kind"], registry=None)
    rounds = Rounds({Kind.PURGE: EVERY} if after else {}, last)
    return Jobs(gate.database, gate.handlers, YEAR, gate.clock, counter, rounds)


def test_the_job_purges_and_is_due_again(gate, old):
    runs = worker(gate, YEAR)
    runs.begin_rounds()
    assert runs.run_next(Lane.UPKEEP)
    assert gate.kinds(old)[-1] == "purged"
    assert runs.next_due(Lane.UPKEEP) == gate.clock() + EVERY
    assert not runs.run_next(Lane.UPKEEP)


def test_a_job_of_a_retention_that_was_switched_off_ends_and_purges_nothing(gate, old):
    with gate.database.write() as session:
        jobs.add(session, Kind.PURGE, jobs.EVERYTHING, None, gate.clock())
    runs = worker(gate, None)
    runs.begin_rounds()
    assert runs.run_next(Lane.UPKEEP)
    assert gate.kinds(old)[-1] != "purged"
    assert runs.next_due(Lane.UPKEEP) is None

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from approval.model import Delivery, Disk, MailState, Person, Place, Snapshot, TaskState
from approval.store import machines, people, requests, tasks, trail
from tests.fakes import ANA, BEA, MAX, NOW, make_decision, make_held, make_machine
from tests.store.values import insert_in, settle

FULL = make_machine(
    name="ABQ_1",
    description="web 'server'\n<b>\u202e",
    template="Ubuntu",
    disks=(Disk(size_mb=1, system=True), Disk(size_mb=2, name="data", volume=True)),
    addresses=("10.0.0.1", "::1"),
    place=Place(enterprise="Acme", datacenter="Production", location="Madrid", appliance="Shop"),
)


def task_ids(database, request_id):
    with database.read() as session:
        return [task.id for task in requests.load(session, request_id).tasks]


def test_a_request_comes_back_with_its_tasks_in_the_order_of_the_callback(database):
    request_id = insert_in(database, "b", "c", "a")
    with database.read() as session:
        request = requests.load(session, request_id)
    assert [task.held for task in request.tasks] == [make_held(id) for id in "bca"]
    assert {task.state for task in request.tasks} == {TaskState.PENDING}
    assert (request.requester, request.missing, request.closed_at) == (None, (), None)


def test_an_unknown_request_or_task_is_none(database):
    with database.read() as session:
        assert requests.load(session, "unknown") is None
        assert tasks.load(session, 4711) is None
        assert tasks.find(session, "fake", "unknown") is None


def test_known_tasks_are_those_of_this_platform(database):
    first, second = insert_in(database, "1", "2"), insert_in(database, "3")
    with database.read() as session:
        assert tasks.known(session, "fake", ["1", "3", "9"]) == {"1": first, "3": second}
        assert tasks.known(session, "other", ["1"]) == {}
        assert tasks.known(session, "fake", []) == {}


def test_a_thousand_tasks_can_be_asked_for_at_once(database):
    ids = [str(number) for number in range(2000)]
    insert_in(database, *ids)
    with database.read() as session:
        assert len(tasks.known(session, "fake", ids)) == 2000


def test_one_task_cannot_be_stored_twice(database):
    first = insert_in(database, "1")
    with database.write() as session:
        second, new = requests.insert(session, "fake", [make_held("2"), make_held("1")], b"", NOW)
    assert new == {"2"}
    with database.read() as session:
        assert tasks.known(session, "fake", ["1", "2"]) == {"1": first, "2": second}


def test_tasks_of_two_platforms_may_have_the_same_id(database):
    insert_in(database, "1")
    with database.write() as session:
        requests.insert(session, "other", [make_held("1")], b"", NOW)
    with database.read() as session:
        assert tasks.find(session, "fake", "1") != tasks.find(session, "other", "1")


def test_a_task_of_no_request_cannot_be_stored(database):
    request_id = insert_in(database, "1")
    with pytest.raises(trail.NoSuchRequest), database.write() as session:
        trail.record(session, request_id[::-1], "received", "", NOW)


def test_the_first_to_settle_a_task_wins(database):
    [task_id] = task_ids(database, insert_in(database, "1"))
    with database.write() as session:
        assert settle(session, task_id, by="Bea") is True
        assert settle(session, task_id, by="Max", state=TaskState.DECLINED) is False
    with database.write() as session:
        assert settle(session, task_id, by="Max", state=TaskState.WITHDRAWN) is False
    with database.read() as session:
        task = tasks.load(session, task_id)
    assert (task.state, task.decision.by) == (TaskState.ACCEPTED, "Bea")


def test_settling_an_unknown_task_wins_nothing(database):
    with database.write() as session:
        assert settle(session, 4711) is False


def test_a_decision_comes_back_as_it_was_made(database):
    [task_id] = task_ids(database, insert_in(database, "1"))
    decision = make_decision(by="Bea ✓", reason="'; DROP TABLE tasks;--")
    with database.write() as session:
        tasks.settle(session, task_id, TaskState.DECLINED, decision, Delivery.WAITING)
    with database.read() as session:
        assert tasks.load(session, task_id).decision == decision


def test_a_request_is_closed_when_no_task_waits_and_stays_closed_since_then(database):
    request_id = insert_in(database, "1", "2")
    first, second = task_ids(database, request_id)
    later = NOW + timedelta(hours=1)
    with database.write() as session:
        settle(session, first)
        assert requests.close_if_decided(session, request_id, NOW) is False
        settle(session, second)
        assert requests.close_if_decided(session, request_id, NOW) is True
        assert requests.close_if_decided(session, request_id, later) is True
        assert requests.load(session, request_id).closed_at == NOW


def test_what_became_of_telling_the_platform_is_kept(database):
    [task_id] = task_ids(database, insert_in(database, "1"))
    with database.write() as session:
        settle(session, task_id)
        tasks.deliver(session, task_id, Delivery.REFUSED, "409", None)
    with database.write() as session:
        task = tasks.load(session, task_id)
        assert (task.delivery, task.delivery_note, task.delivered_at) == ("refused", "409", None)
        tasks.deliver(session, task_id, Delivery.DELIVERED, "", NOW)
    with database.read() as session:
        assert tasks.load(session, task_id).delivered_at == NOW


def test_what_the_platform_says_of_tasks_and_people_comes_back_as_it_was(database):
    request_id = insert_in(database, "1")
    [task_id] = task_ids(database, request_id)
    requester = Person(key="users/1", name="Ana <b>'\" 安娜", address=None, role=None)
    previous = Snapshot(replace(FULL, cpu=None), NOW)
    held = make_held("1", type="RECONFIGURE", links={})
    with database.write() as session:
        requests.describe(session, request_id, requester, ("a", "b"), NOW)
        tasks.describe(session, task_id, held, FULL, previous)
    with database.read() as session:
        request = requests.load(session, request_id)
    assert (request.requester, request.missing) == (requester, ("a", "b"))
    [task] = request.tasks
    assert (task.held, task.machine, task.previous) == (held, FULL, previous)


def test_what_was_last_known_of_a_machine_is_the_latest(database):
    later = NOW + timedelta(days=1)
    with database.write() as session:
        machines.remember(session, "fake", FULL, NOW)
    with database.write() as session:
        machines.remember(session, "fake", replace(FULL, cpu=8), later)
        machines.remember(session, "other", FULL, NOW)
    with database.read() as session:
        known = machines.last_known(session, "fake", [FULL.key, "unknown"])
    assert known == {FULL.key: Snapshot(replace(FULL, cpu=8), later)}


def test_approvers_come_back_in_the_order_in_which_they_were_asked(database):
    request_id, other = insert_in(database, "1"), insert_in(database, "2")
    with database.write() as session:
        people.ask(session, request_id, [MAX, BEA])
        people.ask(session, other, [ANA])
    with database.read() as session:
        found = people.approvers(session, request_id)
    assert [approver.name for approver in found] == ["Max", "Bea"]
    assert {approver.mail for approver in found} == {MailState.WAITING}


def test_the_thread_of_an_approver_begins_with_the_first_mail_that_was_sent(database):
    request_id = insert_in(database, "1")
    with database.write() as session:
        [id] = people.ask(session, request_id, [BEA])
        people.not_mailed(session, id, MailState.REFUSED)
        people.mailed(session, id, NOW, "<first@x>", "mark")
        people.mailed(session, id, NOW + timedelta(days=1), "<second@x>", "mark")
        approver = people.approver(session, id)
    assert approver.thread == "<first@x>"
    assert approver.mailed_at == NOW + timedelta(days=1)


def test_an_approver_votes_once_on_a_task(database):
    request_id = insert_in(database, "1")
    [task_id] = task_ids(database, request_id)
    with database.write() as session:
        [id] = people.ask(session, request_id, [BEA])
        people.vote(session, task_id, id, "accept", "", NOW)
    with pytest.raises(sa.exc.IntegrityError), database.write() as session:
        people.vote(session, task_id, id, "decline", "", NOW)


def test_the_trail_is_in_the_order_in_which_things_happened(database):
    request_id, other = insert_in(database, "1"), insert_in(database, "2")
    with database.write() as session:
        for number, kind in enumerate(["asked", "mailed", "mailed"]):
            trail.record(session, request_id, kind, "", NOW - timedelta(days=number))
            trail.record(session, other, "asked", "", NOW)
    with database.read() as session:
        assert trail.kinds(session, request_id) == ["received", "asked", "mailed", "mailed"]
        assert trail.kinds(session, "unknown") == []

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from approval.model import Action, TaskState
from approval.platforms import CallbackError
from approval.store.tables import METADATA
from tests.fakes import ANA, BEA, MAX, NOW, make_held

THREADS, RACES = 6, 20


def stored(store):
    """How many rows each table has."""
    counts = {
        name: store.rows(f"SELECT count(*) FROM {name}")[0][0]  # noqa: S608
        for name in METADATA.tables
    }
    return {name: count for name, count in counts.items() if count}


def test_a_callback_stores_its_tasks_as_pending_and_promises_to_consider_them(gate, store):
    request = gate.request(gate.receive("1", "2"))
    assert [(task.held.id, task.state) for task in request.tasks] == [
        ("1", TaskState.PENDING),
        ("2", TaskState.PENDING),
    ]
    assert request.received_at == NOW
    assert stored(store) == {
        "approval_requests": 1,
        "tasks": 2,
        "events": 1,
        "jobs": 1,
    }


def test_a_callback_asks_the_platform_nothing(gate):
    gate.receive("1")
    assert gate.platform.calls == ["read "]


def test_a_callback_is_kept_as_it_came(gate, store):
    gate.receive("1", "2")
    [(payload,)] = store.rows("SELECT payload FROM approval_requests")
    assert payload == b"1 2"


def test_a_new_callback_is_told_its_request_and_tasks(gate):
    gate.platform.hold(make_held("1"), make_held("2"))
    received = gate.callback("1", "2")
    assert (received.new, received.task_ids) == (True, ["1", "2"])
    assert gate.kinds(received.request_id) == ["received"]


def test_a_repeated_callback_stores_nothing_and_names_the_first_request(gate, store):
    request_id = gate.receive("1", "2")
    before = stored(store)
    repeat = gate.callback("1", "2")
    assert (repeat.new, repeat.request_id, repeat.task_ids) == (False, request_id, ["1", "2"])
    assert stored(store) == before
    assert gate.kinds(request_id) == ["received"]


def test_callbacks_that_race_for_a_task_all_name_the_one_request(gate):
    gate.platform.hold(*(make_held(str(number)) for number in range(RACES)))
    start = Barrier(THREADS)

    def call(number):
        start.wait(10)  # seconds
        return gate.callback(f"{number // THREADS}")

    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(call, range(THREADS * RACES)))
    ids = {answer.task_ids[0]: answer.request_id for answer in answers if answer.new}
    assert len(ids) == sum(answer.new for answer in answers) == RACES
    assert all(answer.request_id == ids[answer.task_ids[0]] for answer in answers)


def test_of_a_callback_that_repeats_in_part_only_the_new_tasks_are_a_new_request(gate):
    first = gate.ask("1")
    gate.platform.hold(make_held("2"))
    second = gate.callback("1", "2")
    assert (second.new, second.task_ids) == (True, ["2"])
    assert second.request_id != first
    assert [task.held.id for task in gate.request(first).tasks] == ["1"]
    assert [task.held.id for task in gate.request(second.request_id).tasks] == ["2"]


def test_a_repeated_callback_mails_nobody_again(gate):
    gate.ask("1")
    gate.callback("1")
    gate.work()
    assert gate.mails.recipients == [BEA.address, MAX.address]


def test_a_repeated_callback_reopens_no_decision(gate):
    request_id = gate.ask("1")
    gate.press(BEA, Action.DECLINE, "1")
    gate.work()
    before = gate.task()
    gate.callback("1")
    gate.pass_time(hours=1)
    assert gate.task() == before
    assert gate.kinds(request_id).count("declined") == 1


def test_a_repeat_with_other_contents_changes_nothing_that_is_known(gate):
    gate.receive("1")
    gate.platform.announced["1"] = make_held("1", type="UNDEPLOY", requester=BEA.key)
    gate.callback("1")
    assert gate.task().held == make_held("1")


def test_a_callback_that_cannot_be_read_stores_nothing(gate, store):
    with pytest.raises(CallbackError):
        gate.callback()
    assert stored(store) == {}


def test_a_task_keeps_every_field_that_the_platform_gave(gate):
    odd = make_held("1", type="TELEPORT", requester="users/ü'\"<&>", links={"continue": "a;b"})
    gate.receive(odd)
    assert gate.task().held == odd


def test_a_task_without_a_time_is_kept_without_one(gate):
    gate.receive(replace(make_held("1"), held_since=None, requester=""))
    assert gate.task().held.held_since is None


def test_values_are_kept_as_json_that_other_programs_can_read(gate, store):
    gate.ask("1")
    [(held,)] = store.rows("SELECT CAST(held AS TEXT) FROM tasks")
    [(requester,)] = store.rows("SELECT CAST(requester AS TEXT) FROM approval_requests")
    assert json.loads(held)["id"] == "1"
    assert json.loads(requester)["name"] == ANA.name

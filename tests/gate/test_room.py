"""A flood of tasks is not taken in, and nothing of it is lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from approval.gate.receive import NoRoom
from approval.gate.room import COUNT_AGAIN_AFTER
from approval.model import Action
from approval.store import pending
from tests.fakes import BEA, MAX, OPERATOR, address_of, make_held, text_of
from tests.store.test_query_plans import statements

LONG = timedelta(minutes=10)  # its callback will not come any more


@pytest.fixture
def gate(make_gate):
    gate = make_gate(most_pending=3)
    gate.clock.now += LONG
    return gate


def count(gate):
    with gate.database.read() as session:
        return pending.count(session)


def fill(gate):
    gate.ask("1", "2", "3")
    gate.platform.hold(make_held("4"), make_held("5"))


def later(gate):
    gate.clock.now += COUNT_AGAIN_AFTER


def test_what_fits_is_taken_in_and_what_does_not_is_turned_away_whole(gate):
    gate.ask("1", "2")
    with pytest.raises(NoRoom, match="reconciling takes these in later"):
        gate.receive("3", "4")
    gate.receive("5")
    assert count(gate) == 3


def test_of_what_is_turned_away_nobody_is_mailed(gate):
    fill(gate)
    before = len(gate.mails.sent)
    with pytest.raises(NoRoom):
        gate.callback("4")
    gate.work()
    assert {address_of(mail) for mail in gate.mails.sent[before:]} == {OPERATOR}
    assert count(gate) == 3


def test_a_repeat_of_what_is_known_is_answered_though_there_is_no_room(gate):
    fill(gate)
    assert gate.callback("1", "2").new is False


def test_a_repeat_that_brings_something_new_is_turned_away(gate):
    fill(gate)
    with pytest.raises(NoRoom):
        gate.callback("1", "4")


@pytest.mark.parametrize("action", Action)
def test_every_decision_makes_room(gate, action):
    fill(gate)
    gate.press(BEA, action, "1", "2")
    later(gate)
    gate.callback("4", "5")
    assert count(gate) == 3


def test_any_number_may_wait_if_that_is_set(make_gate):
    gate = make_gate(most_pending=0)
    with statements() as sent:
        gate.ask(*map(str, range(50)))
    assert [sql for sql, _ in sent if "count(" in sql] == []


def test_nothing_is_counted_as_long_as_there_is_room(make_gate):
    gate = make_gate(most_pending=50)
    gate.receive("0")
    with statements() as sent:
        for number in range(1, 50):
            gate.receive(str(number))
    assert [sql for sql, _ in sent if "count(" in sql] == []


def test_a_flood_is_counted_now_and_then_only(gate):
    fill(gate)
    with statements() as sent:
        for _ in range(20):
            with pytest.raises(NoRoom):
                gate.callback("4")
    assert len([sql for sql, _ in sent if "count(" in sql]) == 1
    assert [sql for sql, _ in sent if sql.startswith("INSERT INTO tasks")] == []


def test_the_operator_hears_of_it_once_an_hour(gate):
    fill(gate)
    for _ in range(70):
        with pytest.raises(NoRoom):
            gate.callback("4")
        gate.pass_time(minutes=1)
    first, second = gate.mails.to(OPERATOR)
    assert first["Subject"] == (
        "Approval gate: New tasks are turned away: too many wait for a decision"
    )
    assert "3 tasks are pending, and [server] most_pending is 3" in text_of(second)


def test_reconciling_takes_in_what_there_is_room_for_and_the_rest_later(gate):
    gate.ask("1")
    gate.platform.hold(*(make_held(str(number)) for number in range(2, 7)))
    said = gate.round()
    assert count(gate) == 3
    assert "left 3 on the platform: too many tasks are pending" in said
    gate.work()
    gate.press(MAX, Action.ACCEPT, "1")
    gate.press(MAX, Action.ACCEPT, "2")
    gate.work()
    later(gate)
    gate.round()
    assert count(gate) == 3
    later(gate)
    assert gate.round() == ["left 1 on the platform: too many tasks are pending"]


def test_what_was_turned_away_is_asked_about_as_soon_as_there_is_room(gate):
    fill(gate)
    with pytest.raises(NoRoom):
        gate.callback("4", "5")
    gate.press(BEA, Action.DECLINE, "1", "2", "3")
    later(gate)
    gate.round()
    gate.work()
    assert any("task=4" in text_of(mail) for mail in gate.mails.to(MAX))


def test_many_at_once_get_no_more_than_there_is_room_for(make_gate):
    gate = make_gate(most_pending=10)
    ids = [str(number) for number in range(40)]
    gate.platform.hold(*map(make_held, ids))

    def call(id):
        try:
            return gate.callback(id).new
        except NoRoom:
            return False

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(call, ids)) == 10
    assert count(gate) == 10


def test_a_gate_that_starts_anew_knows_what_waits(make_gate, gate):
    fill(gate)
    again = make_gate(most_pending=3, platform=gate.platform, mails=gate.mails, clock=gate.clock)
    with pytest.raises(NoRoom):
        again.callback("4")


def test_who_lowers_the_limit_below_what_waits_loses_nothing(make_gate, gate):
    fill(gate)
    fewer = make_gate(most_pending=1, platform=gate.platform, mails=gate.mails, clock=gate.clock)
    fewer.round()
    assert count(fewer) == 3

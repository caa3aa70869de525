"""The operator hears of a gate that lacks a key which signed links of open requests."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from approval.gate import Record, nothing
from approval.gate.keys import TELL_AGAIN_AFTER, Keys
from approval.model import Action
from approval.store import people, signing
from approval.store.tables import SIGNING
from tests.fakes import BEA, OPERATOR, text_of

OLD, NEW, OTHER = "old", "new", "other"


@pytest.fixture
def asked(gate):
    """A gate whose mails about one open request were signed with the old key."""
    start(gate, OLD)
    gate.ask("1")
    return gate


def start(gate, *marks):
    """Start a gate with these keys; returns of how many open requests it lacks the key."""
    gate.clock.now += timedelta(seconds=1)
    return Keys(gate.database, marks).begin(gate.clock())


def look(gate, *marks):
    """What a gate that runs with these keys finds in its next round."""
    gate.clock.now += timedelta(seconds=1)
    return Keys(gate.database, marks).look(gate.clock())


def alerts(gate):
    gate.work()
    return [text_of(mail) for mail in gate.mails.to(OPERATOR)]


def test_a_gate_with_another_key_alarms_the_operator(asked):
    assert start(asked, OTHER) == 1
    [alert] = alerts(asked)
    assert "mails of open requests (1) are unknown to a gate" in alert
    assert "Give all gates the same keys" in alert


@pytest.mark.parametrize("marks", [[OLD], [OLD, NEW]])
def test_a_gate_that_knows_the_key_alarms_nobody(asked, marks):
    assert start(asked, *marks) == 0
    assert alerts(asked) == []


def test_a_gate_that_was_not_given_the_new_key_alarms_the_operator(asked):
    start(asked, OLD, NEW)
    asked.ask("2")
    assert start(asked, OLD) == 1


def test_gates_that_started_with_different_keys_are_found_by_the_first_round(gate):
    assert start(gate, OLD) == start(gate, OTHER) == 0
    gate.ask("1")
    assert (look(gate, OTHER), alerts(gate)) == (0, [])
    assert look(gate, OLD) == 1
    assert len(alerts(gate)) == 1


def test_an_older_key_that_is_taken_away_too_early_is_missed(asked):
    assert start(asked, OLD, NEW) == 0
    assert start(asked, NEW) == 1


def test_with_both_keys_all_is_well_again(asked):
    start(asked, OTHER)
    asked.ask("2")
    assert start(asked, OLD) == 1
    assert start(asked, OTHER, OLD) == start(asked, OLD, OTHER) == 0


def test_where_nothing_is_open_keys_can_be_replaced(asked):
    asked.press(BEA, Action.ACCEPT, "1")
    assert start(asked, OTHER) == 0
    assert alerts(asked) == []


def test_what_was_mailed_before_any_key_was_noted_counts_for_the_first_one(gate):
    gate.ask("1")
    start(gate, OLD)
    assert (start(gate, NEW), start(gate, OLD)) == (1, 0)


def test_who_was_mailed_anew_misses_no_key(gate):
    start(gate, OLD)
    request_id = gate.ask("1")
    assert start(gate, OTHER) == 1
    gate.clock.now += timedelta(days=1)
    with gate.database.write() as session:
        for approver in people.approvers(session, request_id):
            people.reminded(session, approver.id, gate.clock())
    assert look(gate, OTHER) == 0


def test_a_key_that_is_lost_for_good_is_told_once_a_day(asked):
    start(asked, OTHER)
    for _ in range(3):
        assert look(asked, OTHER) == 1
    assert len(alerts(asked)) == 1
    asked.clock.now += TELL_AGAIN_AFTER
    look(asked, OTHER)
    assert len(alerts(asked)) == 2


def test_a_round_looks_first_and_does_its_work(asked):
    done: list[str] = []

    def work(job: object, now: object) -> Record:
        done.append("work")
        return nothing

    assert Keys(asked.database, [OTHER]).before(work)(None, asked.clock()) is nothing
    assert (done, len(alerts(asked))) == (["work"], 1)


def test_a_start_with_the_same_key_notes_nothing(asked):
    for _ in range(2):
        start(asked, OLD)
    with asked.database.read() as session:
        assert signing.signer(session) == OLD
        assert session.scalar(sa.select(sa.func.count()).select_from(SIGNING)) == 1

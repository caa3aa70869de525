"""The operator hears of a gate that lacks a key which signed links of open requests."""

from datetime import timedelta

import pytest

from approval.gate import Record, nothing
from approval.gate.keys import AGAIN_AFTER, Keys
from approval.gate.renew import renew_all
from approval.links import mark_of
from approval.model import Action
from approval.store import people
from approval.store.jobs import Kind
from tests.fakes import BEA, OPERATOR, text_of
from tests.gate.faked import KEY

OWN, NEW = mark_of(KEY), mark_of("another")


@pytest.fixture
def asked(gate):
    """A gate whose own key signed the mails about an open request; returns its id."""
    return gate.ask("1")


def look(gate, *marks):
    """What a gate with these keys finds: of how many open requests it lacks the key."""
    return Keys(gate.database, marks).look(gate.clock())


def mail_again(gate, request_id, mark, *approvers):
    """Have approvers, or all, reminded by a gate with another key."""
    with gate.database.write() as session:
        for one in people.approvers(session, request_id):
            if not approvers or one.address in {person.address for person in approvers}:
                people.reminded(session, one.id, gate.clock(), mark)


def alerts(gate):
    gate.work()
    return [text_of(mail) for mail in gate.mails.to(OPERATOR)]


def test_a_gate_with_another_key_alarms_the_operator(gate, asked):
    assert look(gate, NEW) == 1
    [alert] = alerts(gate)
    assert "mails of open requests (1) are unknown to a gate" in alert
    assert "Give all gates the same keys" in alert


@pytest.mark.parametrize("marks", [[OWN], [OWN, NEW], [NEW, OWN]])
def test_a_gate_that_knows_the_key_alarms_nobody(gate, asked, marks):
    assert look(gate, *marks) == 0
    assert alerts(gate) == []


def test_gates_that_mail_with_different_keys_are_both_found(gate, asked):
    mail_again(gate, asked, NEW, BEA)
    assert (look(gate, OWN), look(gate, NEW), look(gate, OWN, NEW)) == (1, 1, 0)


def test_without_any_key_every_link_is_unknown(gate, asked):
    assert look(gate) == 1


def test_where_nothing_is_open_keys_can_be_replaced(gate, asked):
    gate.press(BEA, Action.ACCEPT, "1")
    assert look(gate, NEW) == 0


def test_who_has_a_mail_that_a_known_key_signed_misses_no_other(gate, asked):
    mail_again(gate, asked, NEW)
    assert look(gate, NEW) == 0


def test_fresh_links_end_the_alarm_though_some_can_not_decide_any_more(gate, asked):
    mail_again(gate, asked, NEW)
    gate.withdraw(asked, BEA.address)
    assert look(gate, OWN) == 1
    gate.withdraw(act=renew_all)
    gate.work()
    assert look(gate, OWN) == 0


def test_what_was_mailed_before_marks_were_kept_alarms_nobody(gate, asked):
    mail_again(gate, asked, None)
    assert look(gate, NEW) == 0


def test_a_key_that_is_lost_for_good_is_told_once_a_day(gate, asked):
    for _ in range(3):
        assert look(gate, NEW) == 1
    assert len(alerts(gate)) == 1
    gate.clock.now += AGAIN_AFTER
    look(gate, NEW)
    assert len(alerts(gate)) == 2


def test_a_round_that_looks_while_the_start_is_told_of_tells_nothing_twice(gate, asked):
    tells = gate.handlers[Kind.ALERT]

    def tell(job, now):
        record = tells(job, now)
        gate.clock.now += timedelta(seconds=1)
        look(gate, NEW)
        return record

    gate.handlers[Kind.ALERT] = tell
    look(gate, NEW)
    gate.work()
    gate.pass_time(hours=3)
    assert len(alerts(gate)) == 1


def test_a_round_looks_first_and_does_its_work(gate, asked):
    done: list[str] = []

    def work(job: object, now: object) -> Record:
        done.append("work")
        return nothing

    assert Keys(gate.database, [NEW]).before(work)(None, gate.clock()) is nothing
    assert (done, len(alerts(gate))) == (["work"], 1)

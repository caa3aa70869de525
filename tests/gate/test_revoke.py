"""What withdrawing links means for what is under way."""

import re

import pytest

from approval.gate import trouble, whose
from approval.gate.revoke import lift, revoke
from approval.gate.vote import Barred
from approval.gate.whose import Nobody
from approval.mail import MailError
from approval.model import Action, TaskState
from approval.store.jobs import Kind
from tests.fakes import BEA, MAX, OPERATOR, text_of


def withdraw(gate, request_id=None, person=None, act=revoke):
    return gate.withdraw(request_id, person.address if person else None, act)


def test_a_press_on_a_page_that_was_open_before_does_not_count(gate):
    request_id = gate.ask("1", "2")
    opened = gate.open(BEA, "1", "2")
    withdraw(gate, request_id, BEA)
    with pytest.raises(Barred):
        gate.count(opened, Action.ACCEPT)
    assert {task.state for task in gate.request(request_id).tasks} == {TaskState.PENDING}
    assert "accepted" not in gate.kinds(request_id)
    gate.work()
    assert gate.platform.told == []


def test_the_others_can_still_decide_and_nobody_is_alarmed(gate):
    request_id = gate.ask("1")
    withdraw(gate, request_id, BEA)
    gate.press(MAX, Action.DECLINE, "1")
    gate.work()
    assert gate.platform.told == [("1", Action.DECLINE)]
    assert gate.mails.to(OPERATOR) == []
    assert len(gate.mails.to(BEA)) == 1


def test_who_was_not_mailed_yet_is_not_mailed_until_it_is_lifted(gate):
    gate.mails.broken = MailError("down")
    request_id = gate.ask("1")
    withdraw(gate, request_id, BEA)
    gate.mails.broken = None
    gate.pass_time(minutes=10)
    assert (len(gate.mails.to(BEA)), len(gate.mails.to(MAX))) == (0, 1)
    withdraw(gate, request_id, BEA, act=lift)
    gate.work()
    assert len(gate.mails.to(BEA)) == 1
    assert gate.kinds(request_id).count("links restored") == 1


def test_who_is_let_decide_again_while_their_mail_is_given_up_is_mailed(gate):
    request_id = gate.receive("1")
    asks, looked = gate.handlers[Kind.ASK], []

    def is_late(job, now):
        withdraw(gate, request_id, BEA)
        record = asks(job, now)
        withdraw(gate, request_id, BEA, act=lift)
        gate.handlers[Kind.ASK] = asks
        looked.append(job)
        return record

    gate.handlers[Kind.ASK] = is_late
    gate.work()
    assert len(looked) == 1
    assert len(gate.mails.to(BEA)) == 1


def test_the_operator_is_told_of_every_request_that_nobody_can_decide(gate):
    first, second = gate.ask("1"), gate.ask("2")
    withdraw(gate, person=BEA)
    gate.work()
    assert gate.mails.to(OPERATOR) == []
    withdraw(gate, person=MAX)
    gate.work()
    [alert] = gate.mails.to(OPERATOR)
    text = text_of(alert)
    assert (first in text, second in text) == (True, True)


def test_the_operator_is_told_of_all_such_requests_though_they_are_withdrawn_one_after_another(
    gate,
):
    one, another = gate.ask("1"), gate.ask("2")
    withdraw(gate, one)
    gate.work()
    withdraw(gate, another)
    gate.pass_time(hours=1)
    *_, alert = gate.mails.to(OPERATOR)
    text = text_of(alert)
    assert (one in text, another in text) == (True, True)


def test_a_thousand_such_requests_do_not_make_a_mail_of_a_thousand_lines(gate, monkeypatch):
    monkeypatch.setattr(trouble, "NAMED", 2)
    asked = [gate.ask(str(number)) for number in range(3)]
    withdraw(gate, person=BEA)
    withdraw(gate, person=MAX)
    gate.work()
    [alert] = gate.mails.to(OPERATOR)
    text = text_of(alert)
    assert [one in text for one in asked].count(True) == 2
    assert "and others" in text


def test_links_of_many_requests_are_withdrawn_some_requests_at_a_time(gate, monkeypatch):
    monkeypatch.setattr(whose, "REQUESTS", 2)
    asked = sorted(gate.ask(str(number)) for number in range(3))
    steps = []

    def after(some):
        revoked = [gate.approver(one, BEA).revoked for one in asked]
        steps.append((sorted(one.request_id for one in some), revoked))

    revoke(gate.database, asked, BEA.address, gate.clock, after)
    assert steps == [(asked[:2], [True, True, False]), (asked[2:], [True, True, True])]


def test_the_operator_gets_one_mail_of_many_requests_that_nobody_can_decide(gate, monkeypatch):
    monkeypatch.setattr(whose, "REQUESTS", 1)
    asked = [gate.ask("1"), gate.ask("2")]
    revoke(gate.database, asked, None, gate.clock, lambda some: gate.work())
    gate.work()
    [alert] = gate.mails.to(OPERATOR)
    assert [one in text_of(alert) for one in asked] == [True, True]


def test_what_was_cut_off_is_done_by_the_next_call_and_all_of_it_is_told(gate, monkeypatch):
    monkeypatch.setattr(whose, "REQUESTS", 1)
    first, second = asked = sorted([gate.ask("1"), gate.ask("2")])

    def cut_off(some):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        revoke(gate.database, asked, None, gate.clock, cut_off)
    assert gate.approver(first, BEA).revoked
    found = []
    revoke(gate.database, asked, None, gate.clock, found.extend)
    assert {one.request_id for one in found} == {second}
    gate.work()
    [alert] = gate.mails.to(OPERATOR)
    assert [one in text_of(alert) for one in asked] == [True, True]


def test_withdrawing_twice_is_withdrawing_once(gate):
    request_id = gate.ask("1")
    assert len(withdraw(gate, request_id)) == 2
    assert withdraw(gate, request_id) == []
    assert gate.kinds(request_id).count("links revoked") == 2


def test_closed_requests_of_a_person_are_left_alone(gate):
    request_id = gate.ask("1")
    gate.press(MAX, Action.ACCEPT, "1")
    with pytest.raises(Nobody, match=re.escape(BEA.address)):
        withdraw(gate, person=BEA)
    assert not gate.approver(request_id, BEA).revoked

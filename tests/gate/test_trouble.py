"""Alerts: the operator hears of each kind of trouble, and not a thousand times."""

from datetime import timedelta
from itertools import pairwise

import pytest

from approval.gate.trouble import raise_alert
from approval.mail import MailError
from approval.model import Action
from tests.fakes import BEA, OPERATOR, forbidden, text_of, unreachable

HOUR = timedelta(hours=1)


@pytest.fixture
def alarm(gate):
    """Raise an alert; `insist` tells it later if it cannot be told now."""

    def alarm(key="disk", text="It is full.", *, insist=False):
        with gate.database.write() as session:
            raise_alert(session, key, "The disk", text, "Buy another.", gate.clock(), insist=insist)
        gate.work()

    return alarm


def test_a_trouble_is_told_with_what_happened_and_what_to_do(gate, alarm):
    alarm()
    [mail] = gate.mails.to(OPERATOR)
    assert mail["Subject"] == "Approval gate: The disk"
    assert "It is full." in text_of(mail)
    assert "Buy another." in text_of(mail)


@pytest.mark.parametrize(("minutes", "mails"), [(0, 1), (59, 1), (60, 2)])
def test_the_same_trouble_is_told_once_an_hour(gate, alarm, minutes, mails):
    alarm()
    gate.pass_time(minutes=minutes)
    alarm()
    gate.pass_time(days=1)
    assert len(gate.mails.to(OPERATOR)) == mails


def test_different_troubles_are_told_apart(gate, alarm):
    alarm("disk")
    alarm("cable")
    assert len(gate.mails.to(OPERATOR)) == 2


def test_a_trouble_that_insists_is_told_when_the_hour_is_over(gate, alarm):
    alarm()
    gate.pass_time(minutes=10)
    alarm(text="It is still full.", insist=True)
    gate.pass_time(minutes=49)
    assert len(gate.mails.to(OPERATOR)) == 1
    gate.pass_time(minutes=1)
    assert "It is still full." in text_of(gate.mails.to(OPERATOR)[1])


def test_a_trouble_that_comes_up_while_it_is_told_is_not_told_twice(gate, alarm):
    again = iter([alarm])
    gate.mails.on_send = lambda message: next(again, lambda: None)()
    alarm()
    gate.pass_time(minutes=59)
    assert len(gate.mails.to(OPERATOR)) == 1


def test_an_alert_that_cannot_be_mailed_is_mailed_later(gate, alarm):
    gate.mails.errors = [MailError("down")] * 3
    alarm()
    assert gate.mails.sent == []
    gate.pass_time(hours=1)
    assert len(gate.mails.to(OPERATOR)) == 1


def test_an_alert_that_cannot_be_mailed_is_not_tried_more_often_for_being_raised_again(gate, alarm):
    gate.mails.broken = MailError("busy", retry_after=timedelta(minutes=30))
    for _ in range(18):
        alarm()
        gate.pass_time(minutes=10)
    assert len(gate.mails.tried) <= 7


def test_an_alert_that_cannot_be_mailed_raises_no_alert(gate, alarm):
    gate.mails.broken = MailError("login refused", alert=True)
    alarm()
    gate.pass_time(hours=5)
    gate.mails.broken = None
    gate.pass_time(days=1)
    assert gate.mails.sent == []


def test_mails_that_the_server_does_not_take_are_told_when_it_takes_them_again(gate):
    gate.mails.broken = MailError("login refused", alert=True)
    gate.receive("1")
    gate.pass_time(hours=2)
    gate.mails.broken = None
    gate.pass_time(hours=1)
    told = gate.mails.to(OPERATOR)
    assert "An approver could not be asked by mail" in told[0]["Subject"]


def test_the_operator_gets_no_two_mails_of_one_trouble_within_an_hour(gate):
    gate.platform.broken["look"] = forbidden()
    for number in range(3):
        gate.receive(str(number))
        gate.pass_time(minutes=37)
    gate.pass_time(hours=2)
    told = [mail["Date"].datetime for mail in gate.mails.to(OPERATOR)]
    assert len(told) >= 2
    assert all(later - earlier >= HOUR for earlier, later in pairwise(told))


def test_each_job_that_is_given_up_has_an_event_and_all_of_them_a_mail(gate):
    requests = [gate.ask("1"), gate.ask("2")]
    gate.platform.broken["release"] = unreachable()
    for id in ("1", "2"):
        gate.press(BEA, Action.ACCEPT, id)
    gate.work()
    gate.mails.sent.clear()
    gate.pass_time(hours=7)
    assert [gate.kinds(request).count("parked") for request in requests] == [1, 1]
    parked = [mail for mail in gate.mails.to(OPERATOR) if "redeliver" in text_of(mail)]
    assert 1 <= len(parked) <= 2


def test_only_the_first_failure_of_a_job_is_an_event(gate):
    gate.platform.broken["look"] = unreachable()
    request_id = gate.receive("1")
    gate.pass_time(hours=3)
    assert gate.kinds(request_id) == ["received", "failed"]


def test_the_operator_can_take_up_all_that_was_parked_whatever_it_is(gate):
    gate.platform.broken["look"] = unreachable()
    request_id = gate.receive("1")
    gate.pass_time(hours=6)
    gate.platform.broken.clear()
    assert gate.redeliver() == [f"consider of request {request_id}"]
    assert gate.redeliver() == []


def test_what_belongs_to_no_request_is_taken_up_without_naming_one(gate, alarm):
    gate.mails.refused = {OPERATOR}
    alarm()
    assert gate.redeliver() == ["alert"]

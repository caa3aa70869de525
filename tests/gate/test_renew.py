"""A fresh link for who comes with an expired one."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from approval.gate import renew as renewing
from approval.gate.renew import Renewal, renew, renew_all
from approval.mail import MailError
from approval.model import Action
from tests.fakes import BEA, MAX


def ask_for_a_fresh_link(gate, person=BEA, *ids):
    renew(gate.database, gate.open(person, *(ids or ["1"])), gate.clock())


@pytest.fixture
def asked(gate):
    """Bea and Max were mailed a week ago; returns the request's id."""
    request_id = gate.ask("1")
    gate.pass_time(days=7)
    return request_id


def test_a_fresh_mail_goes_to_the_same_address_only(gate, asked):
    ask_for_a_fresh_link(gate)
    gate.work()
    assert (len(gate.mails.to(BEA)), len(gate.mails.to(MAX))) == (2, 1)
    assert gate.kinds(asked)[-2:] == ["link renewed", "mailed"]


def test_the_operator_can_have_fresh_links_mailed_to_all_who_can_decide(gate, asked):
    other = gate.ask("2")
    gate.withdraw(other, MAX.address)
    decided = gate.ask("3")
    gate.press(BEA, Action.ACCEPT, "3")
    gate.work()
    before = len(gate.mails.to(BEA)), len(gate.mails.to(MAX))
    promised = gate.withdraw(act=renew_all)
    gate.work()
    assert (len(gate.mails.to(BEA)) - before[0], len(gate.mails.to(MAX)) - before[1]) == (2, 1)
    assert len(promised) == 3
    assert "link renewed" not in gate.kinds(decided)
    assert gate.withdraw(decided, act=renew_all) == []


def test_who_was_not_mailed_yet_gets_one_mail_and_not_two(gate):
    gate.mails.broken = MailError("down")
    gate.ask("1")
    assert gate.withdraw(act=renew_all) == []
    gate.mails.broken = None
    gate.pass_time(minutes=10)
    assert len(gate.mails.to(BEA)) == 1


def test_a_fresh_mail_is_another_message_in_the_same_thread(gate, asked):
    ask_for_a_fresh_link(gate)
    gate.work()
    first, fresh = gate.mails.to(BEA)
    assert fresh["In-Reply-To"] == first["Message-ID"] != fresh["Message-ID"]
    assert gate.approver(asked, BEA).thread == first["Message-ID"]


@pytest.mark.parametrize(("minutes", "mails"), [(59, 2), (60, 3)])
def test_a_link_brings_at_most_one_fresh_mail_an_hour(gate, asked, minutes, mails):
    ask_for_a_fresh_link(gate)
    gate.pass_time(minutes=minutes)
    ask_for_a_fresh_link(gate)
    gate.work()
    assert len(gate.mails.to(BEA)) == mails


def test_pressing_many_times_brings_one_fresh_mail(gate, asked):
    for _ in range(10):
        ask_for_a_fresh_link(gate)
    gate.pass_time(minutes=59)
    assert len(gate.mails.to(BEA)) == 2


def test_there_is_no_fresh_link_to_what_is_decided(gate, asked):
    opened = gate.open(BEA, "1")
    gate.press(MAX, Action.ACCEPT, "1")
    gate.work()
    mails = len(gate.mails.to(BEA))
    renew(gate.database, gate.open(BEA, "1"), gate.clock())
    renew(gate.database, opened, gate.clock())
    gate.work()
    assert len(gate.mails.to(BEA)) == mails


def test_there_is_no_fresh_link_for_an_unsigned_one(gate, asked):
    ask_for_a_fresh_link(gate, None)
    gate.work()
    assert len(gate.mails.sent) == 2


def test_a_fresh_link_that_cannot_be_mailed_is_mailed_later(gate, asked):
    gate.mails.errors = [MailError("down")]
    ask_for_a_fresh_link(gate)
    gate.pass_time(minutes=1)
    assert len(gate.mails.to(BEA)) == 2


def test_who_asked_for_a_fresh_link_too_late_still_hears_what_was_decided(gate, asked):
    ask_for_a_fresh_link(gate)
    gate.press(MAX, Action.ACCEPT, "1")
    gate.work()
    assert "Accepted" in gate.mails.to(BEA)[-1].get_body(["plain"]).get_content()


def test_all_links_together_bring_no_more_mails_an_hour_than_the_limit(gate, monkeypatch):
    monkeypatch.setattr(renewing, "AT_MOST", 3)
    ids = [str(number) for number in range(5)]
    for id in ids:
        gate.ask(id)
    gate.pass_time(days=7)
    before = len(gate.mails.to(BEA))
    answers = [renew(gate.database, gate.open(BEA, id), gate.clock()) for id in ids]
    assert answers == [Renewal.PROMISED] * 3 + [Renewal.LATER] * 2
    gate.work()
    assert len(gate.mails.to(BEA)) == before + 3
    gate.pass_time(hours=1)
    assert renew(gate.database, gate.open(BEA, "4"), gate.clock()) is Renewal.PROMISED


def test_asking_at_the_same_moment_brings_one_fresh_mail(gate, asked):
    opened = gate.open(BEA, "1")
    with ThreadPoolExecutor(8) as together:
        list(together.map(lambda _: renew(gate.database, opened, gate.clock()), range(20)))
    gate.work()
    renew(gate.database, opened, gate.clock())  # a page that was read before the mail left
    gate.work()
    assert len(gate.mails.to(BEA)) == 2
    assert gate.kinds(asked).count("link renewed") == 1

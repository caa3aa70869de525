"""Mails: who gets which, how often, and in which thread."""

from datetime import timedelta

import pytest

from approval.gate.ask import Patience
from approval.mail import MailError
from approval.model import Action, MailState, PlatformState
from approval.rendering import TemplateError
from approval.store.jobs import Lane
from tests.fakes import ANA, BEA, MAX, NOW, OPERATOR, address_of, make_person, text_of

SECOND = timedelta(seconds=1)


def mail_down():
    return MailError("mail.example: connection refused")


def during_the_first_mail(gate, act):
    """Something happens after the mail server has taken a mail, before the gate records that."""

    def once(message):
        gate.mails.on_send = lambda message: None
        gate.clock.now += SECOND
        act()

    gate.mails.on_send = once


def ids(messages):
    return [message["Message-ID"] for message in messages]


# Asking.


def test_each_approver_gets_a_mail_of_their_own_with_links_of_their_own(gate):
    gate.ask("1")
    [to_bea], [to_max] = gate.mails.to(BEA), gate.mails.to(MAX)
    links = [
        {word for word in text_of(mail).split() if word.startswith("https://gate.example/")}
        for mail in (to_bea, to_max)
    ]
    assert len(links[0]) == len(links[1]) == 3
    assert links[0].isdisjoint(links[1])
    assert {to_bea["Cc"], to_bea["Bcc"], to_max["Cc"], to_max["Bcc"]} == {None}


def test_a_request_of_many_tasks_is_one_mail_to_each(gate):
    gate.ask(*map(str, range(60)))
    assert gate.mails.recipients == [BEA.address, MAX.address]


def test_what_became_of_a_mail_is_noted_with_the_approver(gate):
    request_id = gate.ask("1")
    approver = gate.approver(request_id, BEA)
    assert (approver.mail, approver.mailed_at) == (MailState.SENT, NOW)
    assert approver.thread == gate.mails.to(BEA)[0]["Message-ID"]


def test_a_mail_that_is_sent_again_has_the_same_message_id(gate):
    gate.mails.errors = [mail_down(), mail_down()]
    gate.receive("1")
    gate.pass_time(minutes=1)
    assert gate.mails.recipients.count(BEA.address) == 1
    tried = [message for message in gate.mails.tried if address_of(message) == BEA.address]
    other = [message for message in gate.mails.tried if address_of(message) == MAX.address]
    assert len(gate.mails.tried) == 4
    assert len(set(ids(tried))) == len(set(ids(other))) == 1
    assert set(ids(tried)) != set(ids(other))


@pytest.mark.parametrize("error", [mail_down(), RuntimeError("a bug"), TemplateError("line 3")])
def test_while_mail_is_down_everything_waits_and_nothing_is_decided(gate, error):
    gate.mails.broken = error
    request_id = gate.receive("1")
    gate.pass_time(hours=1)
    assert gate.platform.posts == []
    assert gate.kinds(request_id) == ["received", "verified", "asked", "failed", "failed"]
    gate.mails.broken = None
    gate.pass_time(hours=1)
    assert gate.kinds(request_id)[5:] == ["mailed", "mailed"]
    assert len(gate.mails.to(BEA)) == len(gate.mails.to(MAX)) == 1


def test_a_refused_recipient_is_noted_and_told_and_the_others_are_mailed(gate):
    gate.mails.refused = {BEA.address}
    request_id = gate.ask("1")
    assert gate.approver(request_id, BEA).mail is MailState.REFUSED
    assert gate.approver(request_id, MAX).mail is MailState.SENT
    [mail] = gate.mails.to(OPERATOR)
    assert "could not be asked" in mail["Subject"]
    assert BEA.address in text_of(mail)
    assert "Nobody else is asked" not in text_of(mail)
    assert gate.kinds(request_id) == ["received", "verified", "asked", "parked", "mailed"]


def test_a_refused_recipient_is_not_tried_again(gate):
    gate.mails.refused = {BEA.address}
    gate.ask("1")
    gate.pass_time(days=4)
    assert [address_of(message) for message in gate.mails.tried].count(BEA.address) == 1


def test_an_address_that_cannot_be_written_to_is_noted_like_a_refused_one(gate):
    odd = make_person("Odd", address="odd@[nowhere")
    gate.platform.people = [odd, MAX]
    request_id = gate.ask("1")
    assert gate.approver(request_id, odd).mail is MailState.REFUSED
    assert gate.mails.recipients == [MAX.address, OPERATOR]


def test_if_nobody_is_left_to_ask_the_task_stays_pending_and_the_operator_knows(gate):
    gate.mails.refused = {BEA.address, MAX.address}
    request_id = gate.ask("1")
    gate.pass_time(days=4)
    assert gate.task().decision is None
    assert gate.platform.posts == []
    told = [text_of(mail) for mail in gate.mails.to(OPERATOR)]
    assert any("Nobody else is asked, so its tasks stay pending." in text for text in told)
    assert gate.kinds(request_id) == ["received", "verified", "asked", "parked", "parked"]


def test_who_was_refused_is_asked_when_the_operator_has_seen_to_it(gate):
    gate.mails.refused = {BEA.address}
    request_id = gate.ask("1")
    gate.mails.refused = set()
    gate.redeliver()
    gate.work()
    assert gate.approver(request_id, BEA).mail is MailState.SENT
    assert len(gate.mails.to(BEA)) == 1


def test_an_approver_is_not_asked_about_what_was_decided_before_the_mail_went_out(gate):
    request_id = gate.receive("1")
    gate.jobs.run_next(Lane.CONSIDER)
    gate.press(None, Action.ACCEPT, "1")
    gate.pass_time(hours=1)
    assert gate.mails.recipients == [ANA.address]
    assert gate.approver(request_id, BEA).mail is MailState.SKIPPED
    assert gate.kinds(request_id) == [
        "received", "verified", "asked", "accepted", "delivered",
        "not mailed", "not mailed", "told",
    ]  # fmt: skip


def test_who_may_have_been_asked_by_a_mail_that_seemed_to_fail_is_told(gate):
    gate.mails.errors = [mail_down(), mail_down()]
    gate.ask("1")
    gate.clock.now += SECOND
    gate.press(None, Action.ACCEPT, "1")
    gate.pass_time(hours=1)
    [note] = gate.mails.to(BEA)
    assert note["In-Reply-To"] in ids(gate.mails.tried[:2])
    assert "There is nothing left to decide" in text_of(note)


def test_who_is_being_asked_while_it_is_decided_is_told(gate):
    during_the_first_mail(gate, lambda: gate.press(None, Action.ACCEPT, "1"))
    gate.ask("1")
    gate.pass_time(hours=1)
    asked, note = gate.mails.to(BEA)
    assert note["In-Reply-To"] == asked["Message-ID"]
    assert gate.mails.to(MAX) == []


def test_who_presses_before_their_mail_is_recorded_gets_no_note_about_themselves(gate):
    during_the_first_mail(gate, lambda: gate.press(BEA, Action.ACCEPT, "1"))
    gate.ask("1")
    gate.pass_time(hours=1)
    assert len(gate.mails.to(BEA)) == 1


def test_who_presses_while_another_task_of_their_mail_is_withdrawn_hears_of_that(gate):
    def press_and_withdraw():
        gate.press(BEA, Action.ACCEPT, "1")
        gate.platform.states["2"] = PlatformState.CANCELLED
        gate.round()

    during_the_first_mail(gate, press_and_withdraw)
    gate.ask("1", "2")
    gate.pass_time(hours=1)
    assert len(gate.mails.to(BEA)) == 2


def test_who_presses_in_a_mail_that_seemed_to_fail_gets_no_note_about_themselves(gate):
    gate.mails.errors = [mail_down(), mail_down()]
    request_id = gate.ask("1")
    gate.clock.now += SECOND
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(hours=1)
    assert gate.mails.to(BEA) == []
    assert gate.approver(request_id, BEA).mail is MailState.SENT
    assert len(gate.mails.to(MAX)) == 1


def test_a_late_mail_asks_only_about_what_still_waits(gate):
    gate.mails.broken = mail_down()
    gate.ask("1", "2")
    gate.press(None, Action.ACCEPT, "1")
    gate.mails.broken = None
    gate.pass_time(minutes=1)
    text = text_of(gate.mails.to(BEA)[0])
    assert ("task=2&" in text, "task=1&" in text) == (True, False)


# Telling what was decided.


def test_the_others_are_told_in_the_thread_of_the_mail_that_asked_them(gate):
    gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    asked, note = gate.mails.to(MAX)
    assert (note["In-Reply-To"], note["References"]) == (asked["Message-ID"],) * 2
    assert note["Subject"] == f"Re: {asked['Subject']}"


def test_a_note_says_who_decided_what_and_why(gate):
    gate.ask("1")
    gate.press(BEA, Action.DECLINE, "1", comment="too big")
    gate.work()
    text = text_of(gate.mails.to(MAX)[1])
    assert "Declined" in text
    assert "by Bea" in text
    assert "too big" in text


def test_only_those_who_were_asked_by_mail_get_a_note(gate):
    gate.mails.refused = {BEA.address}
    request_id = gate.ask("1")
    gate.mails.refused = set()
    gate.press(None, Action.ACCEPT, "1")
    gate.work()
    assert gate.mails.to(BEA) == []
    assert len(gate.mails.to(MAX)) == 2
    assert gate.kinds(request_id).count("told") == 2


def test_a_note_that_was_refused_for_good_is_parked_and_told(gate):
    request_id = gate.ask("1")
    gate.mails.refused = {MAX.address}
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    assert gate.kinds(request_id)[-1] == "parked"
    assert len(gate.mails.to(ANA)) == len(gate.mails.to(OPERATOR)) == 1


def test_the_requester_is_told_what_was_decided_and_whether_the_platform_knows(gate):
    gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1", comment="fine with me")
    gate.work()
    text = text_of(gate.mails.to(ANA)[0])
    assert "Accepted" in text
    assert "fine with me" in text
    assert "Fake Cloud has been told" in text


@pytest.mark.parametrize("address", [None, "", "nowhere", "a@b\nBcc: c@d", "<ana@example.org>"])
def test_a_requester_without_an_address_to_write_to_is_not_told(gate, address):
    gate.platform.requester = make_person("Ana", address=address)
    request_id = gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(days=1)
    assert gate.mails.recipients == [BEA.address, MAX.address, MAX.address]
    assert gate.kinds(request_id)[-3:] == ["delivered", "not told", "told"]


def test_a_requester_whom_the_platform_does_not_describe_is_not_told(gate):
    gate.platform.requester = None
    request_id = gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    assert gate.kinds(request_id)[-3:] == ["delivered", "not told", "told"]


def test_approvers_do_not_hear_of_a_task_that_was_withdrawn_before_they_were_asked(gate):
    gate.receive("1", "2")
    gate.platform.states["1"] = PlatformState.CANCELLED
    gate.work()
    gate.pass_time(hours=1)
    assert gate.mails.recipients == [BEA.address, MAX.address]


# Not too many.


def test_one_person_gets_so_many_mails_an_hour_and_the_rest_when_it_is_over(make_gate):
    gate = make_gate(most_mails=3)
    gate.platform.people = [BEA]
    requests = [gate.receive(str(number)) for number in range(5)]
    gate.pass_time(minutes=50)
    assert len(gate.mails.to(BEA)) == 3
    gate.pass_time(minutes=11)
    assert len(gate.mails.to(BEA)) == 5
    assert len(set(ids(gate.mails.to(BEA)))) == 5
    kinds = [gate.kinds(request_id) for request_id in requests]
    assert (
        sorted(kinds)
        == [["received", "verified", "asked", "failed", "mailed"]] * 2
        + [["received", "verified", "asked", "mailed"]] * 3
    )


def test_the_operator_hears_of_it_at_once_even_if_it_is_them(make_gate):
    gate = make_gate(most_mails=1, operator=BEA.address)
    gate.platform.people = [BEA]
    gate.receive("1")
    gate.receive("2")
    gate.work()
    [asked, told] = gate.mails.to(BEA)
    assert "most_per_hour" in text_of(told)
    assert BEA.address in text_of(told)
    assert "most_per_hour" not in text_of(asked)


def test_others_are_mailed_as_ever(make_gate):
    gate = make_gate(most_mails=1)
    gate.platform.people = [BEA]
    gate.ask("1")
    gate.platform.people = [BEA, MAX]
    gate.ask("2")
    assert (len(gate.mails.to(BEA)), len(gate.mails.to(MAX))) == (1, 1)


def test_mails_that_were_not_taken_do_not_count(make_gate):
    gate = make_gate(most_mails=1)
    gate.platform.people = [BEA]
    gate.mails.errors = [mail_down()] * 5
    gate.ask("1")
    gate.pass_time(minutes=50)
    assert len(gate.mails.to(BEA)) == 1


# Subjects and the operator.


def test_subjects_that_the_operator_fixed_are_used(make_gate):
    gate = make_gate(subjects={"request": "Please approve", "outcome": "Your request"})
    gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    assert gate.mails.to(BEA)[0]["Subject"] == "Please approve"
    assert gate.mails.to(ANA)[0]["Subject"] == "Your request"


def test_what_follows_in_a_thread_answers_to_the_subject_that_the_operator_fixed(make_gate):
    patience = Patience(remind_after=[timedelta(days=1)])
    gate = make_gate(subjects={"request": "Please approve"}, patience=patience)
    gate.ask("1")
    gate.pass_time(days=1)
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    subjects = [mail["Subject"] for mail in gate.mails.to(MAX)]
    assert subjects == ["Please approve", "Re: Please approve", "Re: Please approve"]


def test_without_an_operators_address_trouble_mails_nobody_and_holds_up_nothing(make_gate):
    gate = make_gate(operator=None)
    gate.mails.refused = {BEA.address}
    gate.ask("1")
    gate.pass_time(days=1)
    assert gate.mails.recipients == [MAX.address]


def test_links_end_when_they_are_too_old(gate):
    gate.ask("1")
    assert "28 Nov 2026, 10:00 UTC" in text_of(gate.mails.to(BEA)[0])

"""Reminders: who has not decided is mailed again, and nobody else."""

from dataclasses import replace
from datetime import timedelta

import pytest

from approval.decisions import Policy
from approval.gate.ask import Patience
from approval.links import TASK
from approval.mail import MailError
from approval.model import Action, MailState, PlatformState
from approval.store import owners, people
from approval.store.jobs import Lane
from tests.fakes import ANA, BEA, MAX, NOW, OPERATOR, make_person, text_of
from tests.gate.faked import LINKS

DAY = timedelta(days=1)
TWICE = Patience(remind_after=(DAY, 3 * DAY))


@pytest.fixture
def gate(make_gate):
    return make_gate(patience=TWICE)


def counts(gate):
    """How many mails Bea and Max have."""
    return len(gate.mails.to(BEA)), len(gate.mails.to(MAX))


def waiting(gate, request_id):
    """When something is to be done for a request, by lane."""
    with gate.database.read() as session:
        return owners.dues_of(session, request_id)


@pytest.mark.parametrize(
    ("hours", "mails"), [(23.99, 1), (24, 2), (71.99, 2), (72, 3), (24 * 60, 3)]
)
def test_who_has_not_decided_is_mailed_again_as_often_as_is_set(gate, hours, mails):
    gate.ask("1")
    gate.pass_time(hours=hours)
    assert counts(gate) == (mails, mails)


def test_without_reminders_nobody_is_mailed_again(make_gate):
    gate = make_gate()
    request_id = gate.ask("1")
    assert waiting(gate, request_id) == {}
    gate.pass_time(days=30)
    assert counts(gate) == (1, 1)


def test_a_reminder_is_another_mail_in_the_thread_of_the_first_and_says_that_it_is_one(gate):
    request_id = gate.ask("1")
    gate.pass_time(days=3)
    first, *later = gate.mails.to(BEA)
    assert len({mail["Message-ID"] for mail in (first, *later)}) == 3
    assert [mail["In-Reply-To"] for mail in later] == [first["Message-ID"]] * 2
    assert {mail["Subject"] for mail in later} == {f"Re: {first['Subject']}"}
    assert all(text_of(mail).startswith("Reminder: this still waits") for mail in later)
    assert gate.kinds(request_id).count("reminded") == 4


def token_of(mail):
    link = next(word for word in text_of(mail).split() if "/accept?" in word)
    return link.partition("token=")[2]


def test_the_links_of_a_reminder_are_as_good_as_the_first_ones_were(gate):
    gate.ask("1")
    gate.pass_time(days=1)
    first, reminder = (LINKS.read(TASK, token_of(mail)) for mail in gate.mails.to(BEA))
    assert reminder == replace(first, deadline=first.deadline + DAY)


def test_a_reminder_is_about_what_is_still_pending(gate):
    gate.ask("one", "two", "three")
    gate.press(MAX, Action.ACCEPT, "two")
    gate.pass_time(days=1)
    reminder = text_of(gate.mails.to(BEA)[-1])
    assert [f"task={id}&" in reminder for id in ("one", "two", "three")] == [True, False, True]


def test_nothing_is_left_to_do_once_all_is_decided(gate):
    request_id = gate.ask("1")
    gate.press(MAX, Action.DECLINE, "1")
    gate.work()
    assert waiting(gate, request_id) == {}
    gate.pass_time(days=5)
    assert gate.kinds(request_id).count("reminded") == 0


def test_nothing_is_left_to_do_once_it_ended_on_the_platform(gate):
    request_id = gate.ask("1")
    gate.platform.states["1"] = PlatformState.CANCELLED
    gate.round()
    gate.work()
    assert waiting(gate, request_id) == {}


def vote_on(gate, request_id, person, id):
    """Somebody's vote that did not decide the task, as when several are needed."""
    with gate.database.write() as session:
        approver, task = gate.approver(request_id, person), gate.task(id)
        people.vote(session, task.id, approver.id, Action.ACCEPT, "", gate.clock())


def test_who_has_voted_is_not_reminded_of_what_waits_for_others(gate):
    request_id = gate.ask("1")
    vote_on(gate, request_id, BEA, "1")
    gate.pass_time(days=5)
    assert counts(gate) == (1, 3)


def test_who_has_voted_on_one_task_is_reminded_of_the_other(gate):
    request_id = gate.ask("one", "two")
    vote_on(gate, request_id, BEA, "one")
    gate.pass_time(days=1)
    reminder = text_of(gate.mails.to(BEA)[-1])
    assert ("task=one&" in reminder, "task=two&" in reminder) == (False, True)


def test_whose_links_were_withdrawn_is_not_reminded(gate):
    request_id = gate.ask("1")
    gate.withdraw(request_id, BEA.address)
    gate.pass_time(days=5)
    assert counts(gate) == (1, 3)


def test_who_asks_for_it_is_not_reminded_of_it(make_gate):
    gate = make_gate(patience=TWICE, policy=Policy(self_approval=True))
    gate.platform.people = [make_person("Ana", key="users/other", role="ADMIN"), BEA]
    gate.ask("1")
    gate.pass_time(days=5)
    assert (len(gate.mails.to(ANA)), len(gate.mails.to(BEA))) == (1, 3)


def test_who_was_never_mailed_is_not_reminded_of_a_mail_that_never_came(gate):
    gate.mails.refused = {BEA.address}
    request_id = gate.ask("1")
    gate.mails.refused = set()
    gate.pass_time(days=5)
    assert counts(gate) == (0, 3)
    assert gate.approver(request_id, BEA).mail is MailState.REFUSED


def test_the_time_runs_from_the_first_mail_not_from_the_callback(gate):
    gate.mails.broken = MailError("down")
    gate.receive("1")
    gate.pass_time(hours=3)
    gate.mails.broken = None
    gate.pass_time(hours=1)
    assert counts(gate) == (1, 1)
    gate.clock.now = NOW + DAY
    gate.work()
    assert counts(gate) == (1, 1)
    gate.pass_time(hours=4)
    assert counts(gate) == (2, 2)


def test_a_gate_that_was_down_for_long_reminds_once_and_not_of_all_it_missed(gate):
    gate.ask("1")
    gate.clock.now += 10 * DAY
    gate.work()
    assert counts(gate) == (2, 2)
    gate.pass_time(days=2)
    assert counts(gate) == (3, 3)


@pytest.mark.parametrize(("settings", "mails"), [((), 1), ((DAY,), 2), ((DAY, 2 * DAY), 3)])
def test_a_change_of_the_settings_counts_from_the_next_reminder_on(
    make_gate, gate, settings, mails
):
    gate.ask("1")
    changed = make_gate(
        patience=Patience(remind_after=settings),
        platform=gate.platform,
        mails=gate.mails,
        clock=gate.clock,
    )
    changed.pass_time(days=10)
    assert counts(changed) == (mails, mails)


def test_a_reminder_that_cannot_be_mailed_is_mailed_later_under_the_same_message_id(gate):
    gate.ask("1")
    gate.mails.broken = MailError("down")
    gate.pass_time(days=1, minutes=5)
    gate.mails.broken = None
    gate.pass_time(hours=2)
    assert counts(gate) == (2, 2)
    tried = {mail["Message-ID"] for mail in gate.mails.tried if mail["In-Reply-To"]}
    assert tried == {gate.mails.to(person)[1]["Message-ID"] for person in (BEA, MAX)}
    [alert] = gate.mails.to(OPERATOR)
    assert alert["Subject"] == "Approval gate: An approver could not be reminded by mail"


def test_a_reminder_that_waited_for_a_day_is_not_given_up_for_that(gate):
    """How long a job is tried counts from when it was due."""
    gate.ask("1")
    gate.clock.now += DAY
    gate.mails.errors = [MailError("busy")] * 2
    gate.work()
    assert gate.mails.to(OPERATOR) == []
    gate.pass_time(minutes=1)
    assert counts(gate) == (2, 2)


def test_an_address_that_is_refused_by_now_is_told_to_the_operator_until_it_is_decided(gate):
    request_id = gate.ask("1")
    gate.mails.refused = {BEA.address}
    gate.pass_time(days=1)
    [alert] = gate.mails.to(OPERATOR)
    assert "could not be reminded" in alert["Subject"]
    assert gate.approver(request_id, BEA).mail is MailState.SENT
    gate.press(MAX, Action.ACCEPT, "1")
    assert gate.redeliver() == []


def test_what_is_decided_while_a_reminder_is_on_its_way_is_told_after_it(gate):
    request_id = gate.ask("1")

    def press_once(message):
        gate.mails.on_send = lambda message: None
        gate.press(MAX, Action.ACCEPT, "1")

    gate.mails.on_send = press_once
    gate.pass_time(days=1)
    assert "There is nothing left to decide" in text_of(gate.mails.to(BEA)[-1])
    assert waiting(gate, request_id) == {}


def test_what_is_decided_while_the_first_mail_is_on_its_way_is_never_reminded_of(gate):
    request_id = gate.receive("1")
    gate.jobs.run_next(Lane.CONSIDER)

    def press_once(message):
        gate.mails.on_send = lambda message: None
        gate.press(None, Action.ACCEPT, "1")

    gate.mails.on_send = press_once
    gate.work()
    assert waiting(gate, request_id) == {}


def test_reminding_decides_nothing(gate):
    request_id = gate.ask("1")
    gate.pass_time(days=100)
    assert gate.platform.posts == []
    assert gate.request(request_id).closed_at is None

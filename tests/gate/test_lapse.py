"""What nobody decides in time: the gate declines it, and never accepts it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from approval.gate.ask import Patience
from approval.mail import MailError
from approval.model import Action, Delivery, PlatformState, TaskState
from approval.store import jobs, owners, pending, people
from approval.store.jobs import Lane
from tests.fakes import ANA, BEA, MAX, NOW, OPERATOR, text_of, unreachable

DAY = timedelta(days=1)
THREE_DAYS = Patience(decline_after=3 * DAY)
END = NOW + 3 * DAY


@pytest.fixture
def gate(make_gate):
    return make_gate(patience=THREE_DAYS)


def states(gate, request_id):
    return [task.state for task in gate.request(request_id).tasks]


def another(make_gate, gate, **changes):
    """The same gate, started again with other settings."""
    return make_gate(platform=gate.platform, mails=gate.mails, clock=gate.clock, **changes)


def test_what_nobody_decides_in_time_is_declined_and_delivered(gate):
    request_id = gate.ask("1", "2")
    gate.pass_time(days=2, hours=23, minutes=59)
    assert states(gate, request_id) == [TaskState.PENDING] * 2
    gate.pass_time(minutes=1)
    assert states(gate, request_id) == [TaskState.DECLINED] * 2
    assert sorted(gate.platform.told) == [("1", Action.DECLINE), ("2", Action.DECLINE)]
    decision = gate.task("1").decision
    assert decision.by == "a rule of the gate"
    assert decision.reason == "nobody decided within 3 days"
    assert decision.at == END
    assert gate.request(request_id).closed_at == END


def test_everybody_is_told_why_it_was_declined(gate):
    gate.ask("1")
    gate.pass_time(days=3)
    for person in (ANA, BEA, MAX):
        told = text_of(gate.mails.to(person)[-1])
        assert "Declined" in told
        assert "by a rule of the gate" in told
        assert '"nobody decided within 3 days"' in told
    [told_platform] = gate.platform.posts
    assert told_platform.message == "Declined by a rule of the gate: nobody decided within 3 days"


def test_the_trail_tells_it_like_any_other_decision(gate):
    request_id = gate.ask("1")
    gate.pass_time(days=3)
    assert gate.kinds(request_id)[5:] == ["declined", "delivered", "told", "told", "told"]


def test_without_a_time_it_stays_pending_for_ever(make_gate):
    gate = make_gate()
    request_id = gate.ask("1")
    gate.pass_time(days=1000)
    assert states(gate, request_id) == [TaskState.PENDING]


def test_what_was_decided_before_stays_as_it_was_decided(gate):
    request_id = gate.ask("1", "2")
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(days=3)
    assert states(gate, request_id) == [TaskState.ACCEPTED, TaskState.DECLINED]
    assert "1 accepted, 1 declined" in gate.mails.to(ANA)[-1]["Subject"]


@pytest.mark.parametrize("end", ["decided", "withdrawn"])
def test_nothing_waits_for_a_request_that_is_closed(gate, end):
    request_id = gate.ask("1")
    if end == "decided":
        gate.press(BEA, Action.ACCEPT, "1")
    else:
        gate.platform.states["1"] = PlatformState.CONTINUED
        gate.round()
    gate.work()
    with gate.database.read() as session:
        assert owners.dues_of(session, request_id) == {}


def test_mails_say_until_when_and_what_comes_then(gate):
    gate.ask("1")
    asked = text_of(gate.mails.to(BEA)[0])
    assert "Please decide by 24 Nov 2026, 10:00 UTC:\nwhat nobody has decided by then" in asked


def test_a_request_knows_when_it_will_be_declined(gate):
    assert gate.request(gate.ask("1")).decline_at == END


# Who could not be asked.


def test_the_time_runs_from_the_first_mail_because_nobody_can_decide_before(gate):
    gate.mails.broken = MailError("down")
    request_id = gate.receive("1")
    gate.pass_time(days=3, hours=12)
    assert states(gate, request_id) == [TaskState.PENDING]
    gate.mails.broken = None
    gate.redeliver()
    gate.work()
    assert gate.request(request_id).decline_at == gate.clock() + 3 * DAY
    gate.pass_time(days=3)
    assert states(gate, request_id) == [TaskState.DECLINED]
    assert gate.task().decision.reason == "nobody decided within 6 days and 12 hours"


def test_who_is_mailed_later_hears_the_same_time(gate):
    gate.mails.errors = [MailError("busy")]
    request_id = gate.receive("1")
    gate.work()
    gate.clock.now += timedelta(hours=2)
    gate.work()
    assert gate.request(request_id).decline_at == END
    for person in (BEA, MAX):
        assert "Please decide by 24 Nov 2026, 10:00 UTC" in text_of(gate.mails.to(person)[0])


def test_if_nobody_could_be_mailed_it_stays_pending_and_the_operator_knows(gate):
    gate.mails.refused = {BEA.address, MAX.address}
    request_id = gate.ask("1")
    gate.pass_time(days=30)
    assert states(gate, request_id) == [TaskState.PENDING]
    assert "its tasks stay pending" in "".join(map(text_of, gate.mails.to(OPERATOR)))


def test_of_two_mails_at_once_none_names_a_time_that_is_too_late(gate):
    request_id = gate.receive("1")
    gate.jobs.run_next(Lane.CONSIDER)

    def mail_the_other_meanwhile(message):
        gate.mails.on_send = lambda message: None
        gate.clock.now += timedelta(minutes=2)
        gate.jobs.run_next(Lane.MAIL)  # which finds no time set yet

    gate.mails.on_send = mail_the_other_meanwhile
    gate.work()
    assert gate.request(request_id).decline_at == END + timedelta(minutes=2)
    gate.clock.now = END + timedelta(minutes=1)
    gate.work()
    assert states(gate, request_id) == [TaskState.PENDING]
    gate.pass_time(minutes=1)
    assert states(gate, request_id) == [TaskState.DECLINED]


def test_a_time_that_a_later_mail_named_is_waited_for(gate):
    request_id = gate.ask("1")
    with gate.database.write() as session:
        pending.decline_at(session, request_id, END + DAY)
    gate.pass_time(days=3, hours=23)
    assert states(gate, request_id) == [TaskState.PENDING]
    gate.pass_time(hours=1)
    assert states(gate, request_id) == [TaskState.DECLINED]


def test_whose_links_are_all_withdrawn_is_declined_for_all_that(gate):
    request_id = gate.ask("1")
    gate.withdraw(request_id)
    gate.pass_time(days=3)
    assert states(gate, request_id) == [TaskState.DECLINED]


# Restarts and changed settings.


def test_a_gate_that_was_down_at_that_time_declines_when_it_is_back(gate):
    request_id = gate.ask("1")
    gate.clock.now += 10 * DAY
    gate.work()
    assert states(gate, request_id) == [TaskState.DECLINED]


def test_a_press_that_comes_before_a_late_rule_counts(gate):
    request_id = gate.ask("1")
    gate.clock.now += 10 * DAY
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    assert states(gate, request_id) == [TaskState.ACCEPTED]
    assert gate.platform.told == [("1", Action.ACCEPT)]


@pytest.mark.parametrize("days", [1, 30])
def test_what_was_mailed_keeps_the_time_that_its_mails_name(make_gate, gate, days):
    first = gate.ask("1")
    changed = another(make_gate, gate, patience=Patience(decline_after=days * DAY))
    second = changed.ask("2")
    assert changed.request(first).decline_at == END
    assert changed.request(second).decline_at == NOW + days * DAY
    changed.pass_time(days=3)
    assert states(changed, first) == [TaskState.DECLINED]
    assert changed.task("1").decision.reason == "nobody decided within 3 days"


def test_when_the_rule_is_called_off_nothing_is_declined_and_no_page_says_so(make_gate, gate):
    request_id = gate.ask("1")
    changed = another(make_gate, gate)
    with gate.database.write() as session:
        assert pending.never_decline(session) == 1
        assert pending.never_decline(session) == 0
    changed.pass_time(days=30)
    assert states(changed, request_id) == [TaskState.PENDING]
    assert changed.request(request_id).decline_at is None


# Beside others who decide.


def test_a_press_and_the_rule_at_the_same_moment_make_one_decision(gate):
    ids = [str(number) for number in range(20)]
    requests = {id: gate.ask(id) for id in ids}
    opened = {id: gate.open(BEA, id) for id in ids}
    gate.clock.now = END
    start = Barrier(2)

    def press():
        start.wait()
        for id in reversed(ids):
            gate.count(opened[id], Action.ACCEPT)

    def lapse():
        start.wait()
        while gate.jobs.run_next(Lane.UPKEEP):
            pass

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(press), threads.submit(lapse)]:
            done.result()
    gate.work()
    for id, request_id in requests.items():
        kinds = gate.kinds(request_id)
        assert kinds.count("accepted") + kinds.count("declined") == 1
        action = Action.ACCEPT if "accepted" in kinds else Action.DECLINE
        assert [told for told in gate.platform.told if told[0] == id] == [(id, action)]


def test_a_press_while_the_rule_is_about_to_decide_counts(gate):
    """It has read that the task is pending, and not yet written."""
    gate.ask("1", "2")
    gate.clock.now = END
    handler = gate.handlers[jobs.Kind.LAPSE]

    def lapse(job, now):
        record = handler(job, now)
        gate.press(BEA, Action.ACCEPT, "1")
        return record

    gate.handlers[jobs.Kind.LAPSE] = lapse
    gate.work()
    assert (gate.task("1").state, gate.task("2").state) == (
        TaskState.ACCEPTED,
        TaskState.DECLINED,
    )
    assert sorted(gate.platform.told) == [("1", Action.ACCEPT), ("2", Action.DECLINE)]


def test_a_vote_that_was_not_enough_does_not_keep_it_from_being_declined(gate):
    request_id = gate.ask("1")
    with gate.database.write() as session:
        approver = gate.approver(request_id, BEA)
        people.vote(session, gate.task().id, approver.id, Action.ACCEPT, "", NOW)
    gate.pass_time(days=3)
    assert states(gate, request_id) == [TaskState.DECLINED]


def test_what_was_accepted_on_the_platform_meanwhile_is_told_as_it_is(gate):
    gate.ask("1")
    gate.platform.states["1"] = PlatformState.CONTINUED
    gate.pass_time(days=3)
    assert gate.task().delivery is Delivery.OVERTAKEN
    assert "overtaken" in gate.mails.to(ANA)[-1]["Subject"]


def test_it_is_delivered_when_the_platform_is_back(gate):
    gate.ask("1")
    gate.platform.broken["release"] = gate.platform.broken["look"] = unreachable()
    gate.pass_time(days=3, hours=1)
    gate.platform.broken.clear()
    gate.pass_time(hours=2)
    assert gate.platform.states["1"] is PlatformState.CANCELLED
    assert gate.task().delivery is Delivery.DELIVERED


def test_requesters_who_are_not_to_be_told_are_not_told_of_this_either(make_gate):
    gate = make_gate(patience=THREE_DAYS, notify_requester=False)
    gate.ask("1")
    gate.pass_time(days=3)
    assert gate.mails.to(ANA) == []
    assert len(gate.mails.to(BEA)) == 2

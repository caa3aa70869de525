"""A button press: what it decides, and who hears of it when."""

from datetime import timedelta

import pytest

from approval.gate.vote import COMMENT_LENGTH, NotAsked, open_request, open_tasks
from approval.model import Action, PlatformState, TaskState
from approval.store.jobs import Lane
from tests.fakes import ANA, BEA, MAX, NOW, text_of, unreachable


def states(request):
    return [task.state.value for task in request.tasks]


@pytest.mark.parametrize(
    ("action", "state"), [(Action.ACCEPT, "accepted"), (Action.DECLINE, "declined")]
)
def test_a_press_decides_the_task_in_the_approvers_name(gate, action, state):
    request_id = gate.ask("1")
    gate.pass_time(minutes=7)
    counted = gate.press(BEA, action, "1", comment="as agreed")
    [task] = counted.decided
    assert (task.state.value, task.delivery.value) == (state, "waiting")
    assert (task.decision.by, task.decision.reason) == ("Bea", "as agreed")
    assert task.decision.at == NOW + timedelta(minutes=7)
    assert counted.others == ()
    gate.work()
    assert gate.platform.told == [("1", action)]
    assert gate.kinds(request_id) == [
        "received", "verified", "asked", "mailed", "mailed", state, "delivered", "told", "told",
    ]  # fmt: skip


def test_a_press_calls_nobody_outside(gate):
    gate.ask("1")
    gate.platform.calls.clear()
    gate.mails.tried.clear()
    gate.press(BEA, Action.ACCEPT, "1")
    assert (gate.platform.calls, gate.mails.tried) == ([], [])


def test_opening_a_link_changes_nothing(gate):
    request_id = gate.ask("1")
    before = gate.request(request_id), gate.kinds(request_id)
    for _ in range(50):
        gate.open(BEA, "1")
        open_request(gate.database, gate.approver(request_id, BEA).id)
    gate.work()
    assert (gate.request(request_id), gate.kinds(request_id)) == before


def test_the_first_press_wins_and_the_second_changes_nothing(gate):
    request_id = gate.ask("1")
    late = gate.open(MAX, "1")
    gate.press(BEA, Action.ACCEPT, "1")
    counted = gate.count(late, Action.DECLINE)
    assert counted.decided == ()
    assert [task.decision.by for task in counted.others] == ["Bea"]
    gate.work()
    assert gate.platform.told == [("1", Action.ACCEPT)]
    assert "declined" not in gate.kinds(request_id)


def test_pressing_the_same_button_twice_decides_once(gate):
    request_id = gate.ask("1")
    opened = gate.open(BEA, "1")
    gate.count(opened, Action.ACCEPT)
    assert gate.count(opened, Action.ACCEPT).decided == ()
    gate.work()
    assert gate.platform.told == [("1", Action.ACCEPT)]
    assert gate.kinds(request_id).count("accepted") == 1


def test_a_press_on_several_tasks_decides_those_that_still_wait(gate):
    request_id = gate.ask("1", "2", "3")
    opened = gate.open(MAX, "1", "2", "3")
    gate.press(BEA, Action.DECLINE, "2")
    counted = gate.count(opened, Action.ACCEPT)
    assert [task.held.id for task in counted.decided] == ["1", "3"]
    assert [(task.held.id, task.decision.by) for task in counted.others] == [("2", "Bea")]
    assert states(gate.request(request_id)) == ["accepted", "declined", "accepted"]


def test_a_press_decides_no_task_that_it_does_not_name(gate):
    request_id = gate.ask("1", "2")
    gate.press(BEA, Action.ACCEPT, "2")
    assert states(gate.request(request_id)) == ["pending", "accepted"]


def test_a_task_named_twice_is_decided_once(gate):
    gate.ask("1")
    assert len(gate.press(BEA, Action.ACCEPT, "1", "1").decided) == 1


def test_a_withdrawn_task_cannot_be_decided(gate):
    gate.receive("1", "2")
    gate.platform.states["1"] = PlatformState.CANCELLED
    gate.work()
    counted = gate.press(BEA, Action.ACCEPT, "1", "2")
    assert [task.held.id for task in counted.decided] == ["2"]
    assert [task.state for task in counted.others] == [TaskState.WITHDRAWN]


def test_the_request_is_closed_by_its_last_decision(gate):
    request_id = gate.ask("1", "2")
    gate.press(BEA, Action.ACCEPT, "1")
    assert gate.request(request_id).closed_at is None
    gate.pass_time(minutes=5)
    gate.press(BEA, Action.DECLINE, "2")
    assert gate.request(request_id).closed_at == NOW + timedelta(minutes=5)


# Comments.


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("", ""),
        ("  fine \r\n\t by me\u2028now ", "fine by me now"),
        ("\n\n", ""),
        ("x" * COMMENT_LENGTH, "x" * COMMENT_LENGTH),
        ("x" * (COMMENT_LENGTH + 1), "x" * COMMENT_LENGTH),
        ("<b>'; DROP TABLE tasks;--", "<b>'; DROP TABLE tasks;--"),
    ],
)
def test_a_comment_is_kept_in_one_line_of_bounded_length(gate, written, kept):
    gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1", comment=written)
    assert gate.task().decision.reason == kept


def test_the_platform_is_told_who_decided_and_why(gate):
    gate.ask("1", "2")
    gate.press(BEA, Action.DECLINE, "1", comment="too big")
    gate.press(MAX, Action.ACCEPT, "2")
    gate.work()
    assert [post.message for post in gate.platform.posts] == [
        "Declined by Bea: too big",
        "Accepted by Max",
    ]


# Who is told, and when.


def test_the_requester_and_the_other_approvers_are_told_at_once_when_all_is_decided(gate):
    gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1", comment="as agreed")
    gate.work()
    assert gate.mails.recipients[2:] == [ANA.address, MAX.address]
    for mail in gate.mails.sent[2:]:
        assert "as agreed" in text_of(mail)


def test_while_tasks_wait_people_are_told_of_all_decisions_after_two_minutes_in_one_mail(gate):
    gate.ask("1", "2", "3")
    gate.press(BEA, Action.ACCEPT, "1")
    gate.press(BEA, Action.DECLINE, "2")
    gate.pass_time(minutes=1, seconds=59)
    assert gate.mails.to(ANA) == []
    gate.pass_time(seconds=1)
    [mail] = gate.mails.to(ANA)
    assert "1 accepted, 1 declined, 1 waiting" in mail["Subject"].lower()
    assert len(gate.mails.to(MAX)) == 2
    assert len(gate.mails.to(BEA)) == 1


def test_the_last_decision_ends_the_wait_of_the_earlier_ones(gate):
    gate.ask("1", "2")
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    gate.press(BEA, Action.ACCEPT, "2")
    gate.work()
    assert len(gate.mails.to(ANA)) == 1
    gate.pass_time(hours=1)
    assert len(gate.mails.to(ANA)) == 1


def test_the_platform_is_told_at_once_even_while_other_tasks_wait(gate):
    gate.ask("1", "2")
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    assert gate.platform.told == [("1", Action.ACCEPT)]


def test_decisions_after_a_mail_went_out_are_told_too(gate):
    gate.ask("1", "2")
    gate.press(BEA, Action.ACCEPT, "1")
    gate.pass_time(minutes=2)
    gate.press(MAX, Action.DECLINE, "2")
    gate.work()
    assert len(gate.mails.to(ANA)) == 2
    assert (len(gate.mails.to(BEA)), len(gate.mails.to(MAX))) == (2, 2)


def test_a_platform_that_is_down_delays_no_decision_and_no_mail(gate):
    gate.ask("1")
    gate.platform.broken["release"] = unreachable()
    counted = gate.press(BEA, Action.ACCEPT, "1")
    assert len(counted.decided) == 1
    gate.work()
    assert len(gate.mails.to(ANA)) == 1


def test_requesters_are_not_told_if_the_operator_does_not_want_it(make_gate):
    gate = make_gate(notify_requester=False)
    gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    assert gate.mails.to(ANA) == []
    assert len(gate.mails.to(MAX)) == 2


# Who may open what.


def test_an_approver_opens_every_task_of_their_request(gate):
    request_id = gate.ask("1", "2")
    opened = open_request(gate.database, gate.approver(request_id, BEA).id)
    assert [task.held.id for task in opened.tasks] == ["1", "2"]
    assert opened.approver.name == "Bea"


def test_a_link_shows_what_waits_and_what_is_handled(gate):
    gate.ask("1", "2")
    gate.press(BEA, Action.ACCEPT, "1")
    opened = gate.open(MAX, "1", "2")
    assert [task.held.id for task in opened.pending] == ["2"]
    assert [task.held.id for task in opened.handled] == ["1"]


def nobody(gate, mine, foreign):
    return 4711


def me(gate, mine, foreign):
    return gate.approver(mine, BEA).id


def stranger(gate, mine, foreign):
    return gate.approver(foreign, BEA).id


def unsigned(gate, mine, foreign):
    return None


@pytest.mark.parametrize(
    ("who", "ids"),
    [
        (nobody, ["1"]),
        (me, []),
        (me, ["unknown"]),
        (me, ["3"]),
        (me, ["1", "unknown"]),
        (me, ["1", "3"]),
        (me, ["3", "1"]),
        (stranger, ["1"]),
        (stranger, ["1", "2"]),
        (unsigned, []),
        (unsigned, ["unknown"]),
        (unsigned, ["1", "3"]),
        (me, ["1'; DROP TABLE tasks;--"]),
        (me, ["1" * 10000]),
    ],
)
def test_nobody_opens_a_task_that_is_unknown_or_not_theirs(gate, who, ids):
    mine, foreign = gate.ask("1", "2"), gate.ask("3")
    with pytest.raises(NotAsked):
        open_tasks(gate.database, "fake", ids, who(gate, mine, foreign))


def test_nobody_opens_a_task_of_another_platform(gate):
    request_id = gate.ask("1")
    with pytest.raises(NotAsked):
        open_tasks(gate.database, "other", ["1"], gate.approver(request_id, BEA).id)


def test_somebody_who_is_not_an_approver_opens_no_request(gate):
    gate.ask("1")
    with pytest.raises(NotAsked):
        open_request(gate.database, 4711)


def test_an_unsigned_link_decides_in_nobodys_name_and_all_approvers_are_told(gate):
    gate.ask("1")
    gate.press(None, Action.ACCEPT, "1")
    assert gate.task().decision.by == "somebody with an unsigned link"
    gate.work()
    assert gate.platform.told == [("1", Action.ACCEPT)]
    assert sorted(gate.mails.recipients[2:]) == [ANA.address, BEA.address, MAX.address]


def test_several_unsigned_presses_are_one_decision(gate):
    gate.ask("1", "2")
    first, second = gate.open(None, "1", "2"), gate.open(None, "1", "2")
    assert len(gate.count(first, Action.ACCEPT).decided) == 2
    assert gate.count(second, Action.DECLINE).decided == ()


def test_a_decision_wakes_those_who_tell_the_platform_and_those_who_mail(gate):
    gate.ask("1")
    woken = []
    gate.database.wake = woken.extend
    gate.press(BEA, Action.ACCEPT, "1")
    assert set(woken) == {Lane.RELEASE, Lane.MAIL}


def test_a_press_that_decides_nothing_wakes_nobody(gate):
    gate.ask("1")
    opened = gate.open(MAX, "1")
    gate.press(BEA, Action.ACCEPT, "1")
    woken = []
    gate.database.wake = woken.extend
    gate.count(opened, Action.ACCEPT)
    assert woken == []

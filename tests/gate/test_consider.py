"""Considering a request: what the platform says about it, and what follows."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from approval.decisions import Policy
from approval.model import Action, Delivery, PlatformState, Snapshot, TaskState
from approval.platforms import PlatformError
from tests.fakes import (
    ANA,
    BEA,
    MAX,
    NOW,
    OPERATOR,
    address_of,
    forbidden,
    make_held,
    make_machine,
    make_person,
    text_of,
    unreachable,
)

WEB = make_machine()
BIGGER = replace(WEB, cpu=8)


def dates(messages):
    return [message["Date"].datetime for message in messages]


def test_whoever_may_decide_is_mailed_and_nothing_is_decided(gate):
    request_id = gate.ask("1")
    assert gate.mails.recipients == [BEA.address, MAX.address]
    assert gate.task().state is TaskState.PENDING
    assert gate.platform.posts == []
    assert gate.kinds(request_id) == ["received", "verified", "asked", "mailed", "mailed"]


def test_a_request_without_pending_tasks_asks_the_platform_nothing(gate):
    gate.receive("1")
    opened = gate.open(None, "1")
    gate.count(opened, Action.DECLINE)
    gate.platform.calls.clear()
    gate.platform.states["1"] = PlatformState.CANCELLED
    gate.work()
    assert "approvers 1" not in gate.platform.calls
    assert gate.mails.to(BEA) == []


# What the platform's own record says.


def test_the_platforms_own_record_replaces_the_callbacks(gate):
    true = make_held("1", type="UNDEPLOY")
    gate.platform.announced["1"] = make_held("1", type="DEPLOY", links={"continue": "elsewhere"})
    gate.ask(true)
    assert gate.task().held == true


def test_the_mail_shows_the_platforms_own_record(gate):
    gate.platform.announced["1"] = make_held("1", type="DEPLOY")
    gate.ask(make_held("1", type="UNDEPLOY"))
    assert "wants to undeploy" in text_of(gate.mails.to(BEA)[0])


def test_the_rules_judge_the_platforms_own_record(make_gate):
    gate = make_gate(policy=Policy(guarded_types=frozenset({"DEPLOY"})))
    gate.platform.announced["1"] = make_held("1", type="POWER_ON")
    gate.ask(make_held("1", type="DEPLOY"))
    assert gate.task().state is TaskState.PENDING
    assert gate.platform.posts == []


# Tasks that are not held (any more).


def test_a_task_that_the_platform_does_not_know_yet_is_mailed_when_it_does(gate):
    gate.platform.hold(make_held("1"))
    gate.platform.states["1"] = PlatformState.GONE
    request_id = gate.callback("1").request_id
    gate.work()
    assert gate.task().state is TaskState.PENDING
    assert gate.mails.sent == []
    gate.platform.states["1"] = PlatformState.HELD
    gate.pass_time(seconds=5)
    assert gate.mails.recipients == [BEA.address, MAX.address]
    assert gate.kinds(request_id) == ["received", "failed", "verified", "asked", "mailed", "mailed"]


@pytest.fixture
def forged(gate):
    """A callback about a task that the platform does not have; returns the request's id."""
    gate.platform.announced["1"] = make_held("1")
    return gate.callback("1").request_id


def test_an_unknown_task_is_believed_unknown_only_after_two_minutes(gate, forged):
    gate.pass_time(minutes=1, seconds=59)
    assert gate.task().state is TaskState.PENDING
    gate.pass_time(seconds=10)
    assert gate.task().state is TaskState.WITHDRAWN


def test_a_task_that_is_unknown_when_an_outage_ends_has_two_minutes_too(gate):
    gate.platform.hold(make_held("1"))
    gate.platform.broken["look"] = unreachable()
    gate.callback("1")
    gate.pass_time(hours=1)
    gate.platform.broken.clear()
    gate.platform.states["1"] = PlatformState.GONE
    gate.pass_time(hours=1)
    assert gate.task().state is TaskState.WITHDRAWN
    assert gate.platform.calls.count("look 1") > 24


def test_an_unknown_task_is_withdrawn_with_an_event_and_its_reason(gate, forged):
    gate.pass_time(minutes=3)
    assert gate.task().decision.by == "Fake Cloud"
    assert gate.task().decision.reason == "the platform does not know it"
    assert gate.request(forged).closed_at is not None
    assert gate.kinds(forged) == ["received", "failed", "verified", "withdrawn"]


def test_an_unknown_task_mails_nobody(gate, forged):
    gate.pass_time(minutes=3)
    assert gate.mails.tried == []


def test_an_unknown_task_is_never_posted_about(gate, forged):
    gate.pass_time(days=4)
    assert gate.platform.posts == []


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (PlatformState.CONTINUED, "it was continued on the platform"),
        (PlatformState.CANCELLED, "it was cancelled on the platform"),
    ],
)
def test_a_task_that_was_decided_on_the_platform_is_withdrawn_at_once(gate, state, reason):
    request_id = gate.receive("1")
    gate.platform.states["1"] = state
    gate.work()
    assert gate.task().state is TaskState.WITHDRAWN
    assert gate.task().delivery is None
    assert gate.task().decision.reason == reason
    assert gate.kinds(request_id) == ["received", "verified", "withdrawn"]
    assert (gate.mails.tried, gate.platform.posts) == ([], [])


def test_the_tasks_that_are_still_held_are_asked_about_when_others_are_not(gate):
    request_id = gate.receive("1", "2")
    gate.platform.states["1"] = PlatformState.CANCELLED
    gate.work()
    states = [task.state for task in gate.request(request_id).tasks]
    assert states == [TaskState.WITHDRAWN, TaskState.PENDING]
    assert gate.request(request_id).closed_at is None
    assert gate.kinds(request_id) == [
        "received",
        "verified",
        "withdrawn",
        "asked",
        "mailed",
        "mailed",
    ]


# Trouble: never a decision, never silence.


@pytest.mark.parametrize("error", [unreachable(), forbidden(), RuntimeError("a bug")])
@pytest.mark.parametrize("verb", ["look", "approvers"])
def test_a_platform_that_does_not_answer_withdraws_skips_and_decides_nothing(gate, verb, error):
    gate.platform.broken[verb] = error
    gate.receive("1")
    gate.pass_time(hours=3)
    assert gate.task().state is TaskState.PENDING
    assert gate.platform.posts == []
    assert set(gate.mails.recipients) == {OPERATOR}


@pytest.mark.parametrize("verb", ["look", "approvers", "describe"])
def test_a_request_is_considered_when_the_platform_answers_again(gate, verb):
    gate.platform.broken[verb] = unreachable()
    request_id = gate.receive("1")
    gate.pass_time(hours=3)
    gate.platform.broken.clear()
    gate.pass_time(hours=1)
    assert (len(gate.mails.to(BEA)), len(gate.mails.to(MAX))) == (1, 1)
    assert gate.kinds(request_id) == ["received", "failed", "verified", "asked", "mailed", "mailed"]


def test_refused_credentials_are_told_at_once_and_then_once_an_hour(gate):
    gate.platform.broken["look"] = forbidden()
    gate.receive("1")
    gate.work()
    assert gate.mails.recipients == [OPERATOR]
    gate.pass_time(hours=3)
    told = dates(gate.mails.to(OPERATOR))
    assert len(told) >= 2
    assert all(later - earlier >= timedelta(hours=1) for earlier, later in pairwise(told))


def test_the_same_trouble_of_many_requests_is_one_mail(gate):
    gate.platform.broken["look"] = forbidden()
    for id in range(8):
        gate.receive(str(id))
    gate.work()
    gate.pass_time(minutes=59)
    assert len(gate.mails.to(OPERATOR)) == 1


def test_an_outage_is_told_when_it_lasts_and_not_before(gate):
    gate.platform.broken["look"] = unreachable()
    gate.receive("1")
    gate.work()
    assert gate.mails.tried == []
    gate.pass_time(hours=3)
    told = dates(gate.mails.to(OPERATOR))
    assert len(told) >= 1
    assert all(later - earlier >= timedelta(hours=1) for earlier, later in pairwise(told))


def test_a_request_that_could_not_be_considered_for_too_long_waits_for_the_operator(gate):
    gate.platform.broken["look"] = unreachable()
    request_id = gate.receive("1")
    gate.pass_time(days=4)
    assert gate.task().state is TaskState.PENDING
    assert gate.kinds(request_id) == ["received", "failed", "parked"]
    gate.platform.broken.clear()
    gate.redeliver()
    gate.work()
    assert gate.kinds(request_id)[3:] == ["redelivered", "verified", "asked", "mailed", "mailed"]


def test_a_platform_that_refuses_to_list_approvers_for_good_lets_nothing_pass(gate):
    gate.platform.broken["approvers"] = PlatformError("no such role", permanent=True)
    request_id = gate.receive("1")
    gate.pass_time(days=4)
    assert gate.task().state is TaskState.PENDING
    assert gate.kinds(request_id) == ["received", "parked"]
    assert gate.mails.recipients == [OPERATOR]


# Details.


def test_details_that_cannot_be_had_yet_are_waited_for(gate):
    gate.platform.missing, gate.platform.transient = ("the machine",), True
    gate.receive("1")
    gate.work()
    assert gate.mails.tried == []
    gate.platform.missing, gate.platform.transient = (), False
    gate.pass_time(minutes=1)
    assert "Could not be had" not in text_of(gate.mails.to(BEA)[0])


def test_after_three_tries_people_are_asked_and_told_what_is_missing(gate):
    gate.platform.missing, gate.platform.transient = ("the machine",), True
    request_id = gate.receive("1")
    gate.pass_time(minutes=1)
    assert sum(call.startswith("describe") for call in gate.platform.calls) == 3
    assert "Could not be had from Fake Cloud: the machine." in text_of(gate.mails.to(BEA)[0])
    assert gate.request(request_id).missing == ("the machine",)


def test_an_outage_before_takes_nothing_from_the_tries_of_the_details(gate):
    gate.platform.broken["look"] = unreachable()
    gate.platform.missing, gate.platform.transient = ("the machine",), True
    gate.receive("1")
    gate.pass_time(hours=1)
    gate.platform.broken.clear()
    gate.pass_time(hours=1)
    assert sum(call.startswith("describe") for call in gate.platform.calls) == 3
    assert "Could not be had from Fake Cloud: the machine." in text_of(gate.mails.to(BEA)[0])


def test_who_waits_for_details_does_not_wait_anew_for_a_task_that_is_gone(gate):
    gate.platform.missing, gate.platform.transient = ("the machine",), True
    gate.receive("1", "2")
    gate.platform.states["2"] = PlatformState.GONE
    gate.pass_time(minutes=3)
    assert "the machine" in text_of(gate.mails.to(BEA)[0])
    assert gate.task("2").state is TaskState.WITHDRAWN


def test_details_that_never_come_are_not_waited_for(gate):
    gate.platform.missing = ("the machine",)
    request_id = gate.ask("1")
    assert "the machine" in text_of(gate.mails.to(BEA)[0])
    assert gate.kinds(request_id) == ["received", "verified", "asked", "mailed", "mailed"]


def test_what_the_platform_told_is_kept_with_the_request(gate):
    gate.platform.machines["1"] = WEB
    request = gate.request(gate.ask("1"))
    assert (request.requester, request.tasks[0].machine) == (ANA, WEB)


# The rules.


def test_an_unguarded_type_is_accepted_by_rule_and_nobody_is_mailed(make_gate):
    gate = make_gate(policy=Policy(guarded_types=frozenset({"DEPLOY"})))
    request_id = gate.ask(make_held("1", type="POWER_ON"))
    assert gate.task().state is TaskState.ACCEPTED
    assert gate.task().decision.by == "a rule of the gate"
    assert gate.platform.told == [("1", Action.ACCEPT)]
    assert gate.mails.tried == []
    assert gate.kinds(request_id) == ["received", "verified", "accepted", "delivered"]
    assert gate.request(request_id).closed_at == NOW


@pytest.mark.parametrize("action", Action)
def test_an_approvers_own_request_is_settled_by_rule_and_they_are_told(make_gate, action):
    gate = make_gate(policy=Policy(own_request=action))
    gate.platform.requester = BEA
    request_id = gate.ask(make_held("1", requester=BEA.key))
    state = TaskState.ACCEPTED if action is Action.ACCEPT else TaskState.DECLINED
    assert gate.task().state is state
    assert gate.platform.told == [("1", action)]
    assert gate.mails.recipients == [BEA.address]
    assert gate.kinds(request_id) == ["received", "verified", state.value, "delivered", "told"]


def test_who_may_decide_and_has_no_address_is_no_approver_of_the_request(gate):
    gate.platform.people = [make_person("Ben", address=None), MAX]
    request_id = gate.ask("1")
    assert [address_of(mail) for mail in gate.mails.tried] == [MAX.address]
    assert "parked" not in gate.kinds(request_id)


def test_an_approver_is_not_asked_about_their_own_request(gate):
    gate.platform.requester = BEA
    gate.ask(make_held("1", requester=BEA.key))
    assert gate.mails.recipients == [MAX.address]


def test_an_approver_is_asked_about_their_own_request_with_self_approval(make_gate):
    gate = make_gate(policy=Policy(self_approval=True))
    gate.platform.requester = BEA
    gate.ask(make_held("1", requester=BEA.key))
    assert gate.mails.recipients == [BEA.address, MAX.address]


def test_an_approver_is_not_asked_about_their_own_request_when_the_platform_does_not_name_them(
    gate,
):
    gate.platform.requester = None
    gate.ask(make_held("1", requester=BEA.key))
    assert gate.mails.recipients == [MAX.address]


def test_with_nobody_to_ask_the_task_is_declined_and_the_requester_told_why(gate):
    gate.platform.people = []
    request_id = gate.ask("1")
    assert gate.task().state is TaskState.DECLINED
    assert gate.platform.told == [("1", Action.DECLINE)]
    [mail] = gate.mails.to(ANA)
    assert "there is nobody who could be asked" in text_of(mail)
    assert gate.mails.recipients == [ANA.address]
    assert gate.kinds(request_id) == ["received", "verified", "declined", "delivered", "told"]


def test_with_nobody_to_ask_the_operators_default_action_is_taken(make_gate):
    gate = make_gate(policy=Policy(default_action=Action.ACCEPT))
    gate.platform.people = []
    gate.ask("1")
    assert gate.platform.told == [("1", Action.ACCEPT)]
    assert len(gate.mails.to(ANA)) == 1


def test_requesters_are_not_told_if_the_operator_does_not_want_it(make_gate):
    gate = make_gate(notify_requester=False)
    gate.platform.people = []
    request_id = gate.ask("1")
    assert gate.mails.tried == []
    assert gate.kinds(request_id) == ["received", "verified", "declined", "delivered"]


def test_one_request_can_be_settled_by_rule_in_part_and_asked_about_in_part(make_gate):
    gate = make_gate(policy=Policy(guarded_types=frozenset({"DEPLOY"})))
    request_id = gate.ask(make_held("1", type="POWER_ON"), make_held("2"))
    states = [task.state for task in gate.request(request_id).tasks]
    assert states == [TaskState.ACCEPTED, TaskState.PENDING]
    assert gate.request(request_id).closed_at is None
    assert gate.kinds(request_id) == [
        "received", "verified", "accepted", "asked", "delivered", "mailed", "mailed",
    ]  # fmt: skip


def test_somebody_whom_the_platform_lists_twice_is_asked_once(gate):
    gate.platform.people = [BEA, BEA, MAX]
    gate.ask("1", "2")
    assert gate.mails.recipients == [BEA.address, MAX.address]


# What a reconfiguration changes.


def reconfigure(gate, machine=BIGGER):
    """Hold a reconfiguration of the machine; returns the task as the approvers see it."""
    gate.platform.machines["2"] = machine
    gate.ask(make_held("2", type="RECONFIGURE"))
    return gate.task("2")


def deploy(gate, action=Action.ACCEPT):
    gate.platform.machines["1"] = WEB
    gate.ask("1")
    gate.press(BEA, action, "1")


def test_a_reconfiguration_is_compared_with_what_was_last_delivered_and_when(gate):
    deploy(gate)
    gate.pass_time(minutes=1)
    delivered = gate.task().delivered_at
    gate.pass_time(days=9)
    task = reconfigure(gate)
    assert task.previous == Snapshot(WEB, delivered)
    text = text_of(gate.mails.to(BEA)[-1])
    assert "2 → 8" in text
    assert "21 Nov 2026" in text


def test_a_machine_that_was_declined_is_not_what_it_was_before(gate):
    deploy(gate, Action.DECLINE)
    gate.work()
    assert gate.task().delivery is Delivery.DELIVERED
    assert reconfigure(gate).previous is None


def test_a_machine_is_not_known_before_the_platform_was_told(gate):
    gate.platform.broken["release"] = unreachable()
    deploy(gate)
    gate.work()
    assert reconfigure(gate).previous is None


def test_a_machine_is_not_known_when_the_platform_went_the_other_way(gate):
    deploy(gate)
    gate.platform.states["1"] = PlatformState.CANCELLED
    gate.work()
    assert gate.task().delivery is Delivery.OVERTAKEN
    assert reconfigure(gate).previous is None


def test_an_accepted_reconfiguration_is_what_the_next_is_compared_with(gate):
    deploy(gate)
    gate.work()
    reconfigure(gate)
    gate.press(BEA, Action.ACCEPT, "2")
    gate.work()
    gate.platform.machines["3"] = replace(WEB, cpu=16)
    gate.ask(make_held("3", type="RECONFIGURE"))
    assert gate.task("3").previous.machine == BIGGER


def test_another_machine_is_not_what_it_was_before(gate):
    deploy(gate)
    gate.work()
    assert reconfigure(gate, replace(BIGGER, key="machines/2")).previous is None


def test_only_a_reconfiguration_is_compared(gate):
    deploy(gate)
    gate.work()
    gate.platform.machines["2"] = BIGGER
    gate.ask(make_held("2", type="UNDEPLOY"))
    assert gate.task("2").previous is None


def test_an_approver_without_an_address_that_mail_can_be_sent_to_keeps_nobody_else(gate):
    gate.platform.people = [make_person("Odd", address="odd@[nowhere"), MAX]
    gate.ask("1")
    assert len(gate.mails.to(MAX)) == 1
    assert gate.task().state is TaskState.PENDING

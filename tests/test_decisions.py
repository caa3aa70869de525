import pytest

from approval.decisions import Ask, Policy, Settle, on_arrival
from approval.model import Action
from tests.fakes import ANA, BEA, MAX, make_person

NOBODY_ELSE = "there is nobody who could be asked"
BY_AN_APPROVER = "requested by somebody who may approve it"
GUARDED = frozenset({"DEPLOY"})


def decide(task_type="DEPLOY", requester=ANA, may_decide=(BEA, MAX), **policy):
    return on_arrival(task_type, requester, may_decide, Policy(**policy))


def test_everybody_who_may_decide_is_asked():
    assert decide() == Ask((BEA, MAX))


def test_a_type_that_is_not_guarded_is_accepted_and_nobody_need_hear_of_it():
    settled = decide("UNDEPLOY", guarded_types=GUARDED)
    assert settled == Settle(Action.ACCEPT, "UNDEPLOY needs no approval here", quiet=True)


@pytest.mark.parametrize("task_type", ["DEPLOY", "UNDEPLOY", "RECONFIGURE", "TELEPORT", ""])
def test_every_type_is_guarded_unless_the_operator_names_some(task_type):
    assert decide(task_type) == Ask((BEA, MAX))


def test_no_type_is_guarded_if_the_operator_names_none_of_them():
    assert decide(guarded_types=frozenset()).action is Action.ACCEPT


@pytest.mark.parametrize("spelling", ["deploy", "Deploy"])
def test_a_type_is_guarded_however_it_is_spelled(spelling):
    assert decide(spelling, guarded_types=GUARDED) == decide("DEPLOY", guarded_types=GUARDED)


@pytest.mark.parametrize("spelling", ["DEPLOY ", "DEPLOYMENT"])
def test_a_type_is_guarded_by_its_whole_name(spelling):
    assert decide(spelling, guarded_types=GUARDED).action is Action.ACCEPT


@pytest.mark.parametrize("action", Action)
def test_an_approvers_own_request_is_settled_as_the_operator_wrote(action):
    assert decide(requester=BEA, own_request=action) == Settle(action, BY_AN_APPROVER)


def test_the_others_are_asked_about_an_approvers_own_request():
    assert decide(requester=BEA) == Ask((MAX,))


def test_own_requests_of_those_who_may_not_approve_are_asked_about():
    assert decide(requester=ANA, own_request=Action.ACCEPT) == Ask((BEA, MAX))


def test_with_self_approval_the_requester_is_asked_like_anyone():
    assert decide(requester=BEA, self_approval=True) == Ask((BEA, MAX))


def test_without_self_approval_the_only_approver_is_not_asked_about_their_own_request():
    settled = decide(requester=BEA, may_decide=[BEA])
    assert settled == Settle(Action.DECLINE, NOBODY_ELSE)


def test_with_self_approval_the_only_approver_is_asked_about_their_own_request():
    assert decide(requester=BEA, may_decide=[BEA], self_approval=True) == Ask((BEA,))


@pytest.mark.parametrize("address", ["bea@example.org", "BEA@Example.org"])
def test_a_second_account_with_the_same_address_is_the_same_person(address):
    assert decide(requester=make_person("Other", address=address)) == Ask((MAX,))


def test_people_without_an_address_are_not_the_same_person():
    ann, ben = make_person("Ann", address=None), make_person("Ben", address=None)
    asked = decide(requester=ann, may_decide=[ben, MAX], own_request=Action.ACCEPT)
    assert asked == Ask((MAX,))


def test_who_has_no_address_is_not_asked():
    assert decide(may_decide=[make_person("Ben", address=None), MAX]) == Ask((MAX,))


@pytest.mark.parametrize("self_approval", [False, True])
def test_nobody_can_be_asked_who_has_no_address(self_approval):
    ben = make_person("Ben", address=None)
    settled = decide(requester=ben, may_decide=[ben], self_approval=self_approval)
    assert settled == Settle(Action.DECLINE, NOBODY_ELSE)


@pytest.mark.parametrize("action", Action)
def test_an_approver_without_an_address_makes_a_request_of_their_own_too(action):
    ben = make_person("Ben", address=None)
    settled = decide(requester=ben, may_decide=[ben, MAX], own_request=action)
    assert settled == Settle(action, BY_AN_APPROVER)


@pytest.mark.parametrize("action", Action)
def test_the_default_action_settles_what_nobody_can_be_asked_about(action):
    assert decide(may_decide=[], default_action=action) == Settle(action, NOBODY_ELSE)


def test_what_nobody_can_be_asked_about_is_declined_unless_the_operator_wrote_otherwise():
    assert decide(may_decide=[]).action is Action.DECLINE


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("DEPLOY needs no approval here", {"guarded_types": frozenset()}),
        (BY_AN_APPROVER, {"guarded_types": GUARDED}),
        (NOBODY_ELSE, {"guarded_types": GUARDED, "own_request": None}),
    ],
)
def test_the_first_rule_that_matches_wins(rule, change):
    policy = {"own_request": Action.ACCEPT, "default_action": Action.DECLINE} | change
    assert decide(requester=BEA, may_decide=[BEA], **policy).reason == rule

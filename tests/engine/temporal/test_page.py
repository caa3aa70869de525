"""What Temporal shows of a request reads like its story, and is true."""

import pytest

from approval.engine.temporal.workflow import Story
from approval.model import Action, Delivery, Place
from approval.store import jobs
from approval.store.jobs import Kind
from tests.conftest import wait_until
from tests.fakes import ANA, BEA, MAX, make_held, make_machine, refused

ACME = Place(enterprise="Acme", datacenter="Production")


@pytest.fixture
def asked(gate, working):
    """A request about which the approvers were mailed."""
    gate.platform.machines["1"] = make_machine(place=ACME)
    request_id = gate.receive("1")
    wait_until(lambda: gate.kinds(request_id).count("mailed") == 2)
    wait_until(lambda: working.state(request_id)["waits for"].startswith("a decision"))
    return request_id


def test_an_open_request_is_a_running_workflow_that_tells_what_is_asked_by_whom(working, asked):
    details = working.details(asked)
    for words in (
        "Ana wants to deploy web-01 in Acme",
        "Waits for a decision by one of 2 approvers",
        "UTC: received",
        "UTC: asked",
        "UTC: mailed",
    ):
        assert words in details
    assert working.state(asked) == {
        "state": "pending",
        "waits for": "a decision by one of 2 approvers",
        "at work": [],
    }


def test_it_is_found_by_platform_enterprise_requester_type_and_state(working, asked):
    assert working.attributes(asked) == {
        "ApprovalPlatform": "fake",
        "ApprovalEnterprise": ["Acme"],
        "ApprovalRequester": "Ana",
        "ApprovalType": ["DEPLOY"],
        "ApprovalState": "pending",
    }
    query = "ApprovalRequester = 'Ana' AND ApprovalEnterprise = 'Acme' AND ApprovalType = 'DEPLOY'"
    wait_until(lambda: working.found(f"{query} AND ApprovalState = 'pending'") == [asked])


def test_a_decision_ends_the_workflow_with_the_truth(gate, working, asked):
    gate.press(BEA, Action.ACCEPT, "1", comment="a private word")
    assert working.ended(asked) == "accepted"
    details = working.details(asked)
    for words in ("Accepted", "UTC: accepted web-01", "UTC: delivered web-01", "UTC: told"):
        assert words in details
    assert working.attributes(asked)["ApprovalState"] == "accepted"
    wait_until(lambda: working.found("ApprovalState = 'accepted'") == [asked])


def test_no_address_comment_or_link_leaves_the_gate(gate, working, asked):
    gate.press(BEA, Action.ACCEPT, "1", comment="a private word")
    working.ended(asked)

    async def history(client):
        return (await working.workflow(client, asked).fetch_history()).to_json()

    told = working.ask(history) + working.details(asked)
    for secret in ("example.org", "a private word", "token", "gate.example", "Bea", "Max"):
        assert secret not in told
    assert BEA.address.endswith("example.org")
    assert MAX.address.endswith("example.org")
    assert ANA.name in told


def test_what_an_error_quotes_stays_in_the_log(gate, store, working, asked):
    store.change("""UPDATE approval_requests SET requester = '{"name": "a private word"}'""")

    async def poke(client):
        await working.workflow(client, asked).signal("poke")

    async def history(client):
        return (await working.workflow(client, asked).fetch_history()).to_json()

    working.ask(poke)
    wait_until(lambda: "unexpected ValidationError" in working.ask(history))
    assert "a private word" not in working.ask(history)


def test_what_the_operator_has_to_see_to_is_said_and_found(gate, working, asked):
    gate.platform.errors["release"] = [refused()]
    gate.press(BEA, Action.ACCEPT, "1")
    assert working.ended(asked) == "undelivered"
    assert working.attributes(asked)["ApprovalState"] == "undelivered"
    assert working.memo(asked) == {"waits for": "the operator: 1 set aside"}
    assert "Waits for the operator: 1 set aside" in working.details(asked)


def test_what_was_set_aside_is_taken_up_in_a_new_run(gate, working, asked):
    gate.platform.errors["release"] = [refused()]
    gate.press(BEA, Action.ACCEPT, "1")
    working.ended(asked)
    gate.redeliver()
    wait_until(lambda: gate.task().delivery is Delivery.DELIVERED)
    wait_until(lambda: working.attributes(asked).get("ApprovalState") == "accepted")
    assert working.ended(asked) == "accepted"


def test_names_mean_nothing_to_what_renders_the_page(gate, working):
    gate.platform.machines["1"] = make_machine(label="[x](http://evil) **b**\n\n# h <img src=x>")
    request_id = gate.receive("1")
    wait_until(lambda: "wants to" in working.details(request_id))
    wait_until(lambda: "evil" in working.details(request_id))
    assert r"\[x\]\(http\://evil\) \*\*b\*\* \# h \<img src=x\>" in working.details(request_id)


def test_a_type_in_a_batch_is_found_among_others(gate, working):
    request_id = gate.receive(make_held("1"), make_held("2", type="UNDEPLOY"))
    wait_until(lambda: working.found("ApprovalType = 'UNDEPLOY'") == [request_id])
    assert working.attributes(request_id)["ApprovalType"] == ["DEPLOY", "UNDEPLOY"]


def test_what_belongs_to_no_request_has_a_workflow_that_ends(gate, working):
    done = []
    gate.handlers[Kind.ALERT] = lambda job, now: done.append(job.subject) or (lambda s, n: None)
    with gate.database.write() as session:
        jobs.add(session, Kind.ALERT, "trouble", None, gate.clock())
    wait_until(lambda: done == ["trouble"])
    assert working.ended("alert") == Story("", "", "", "").state

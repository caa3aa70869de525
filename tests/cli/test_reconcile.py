"""`approval reconcile`, and the round with which a gate starts."""

import time

import pytest

from approval.demo.cloud.faults import Fault
from approval.platforms.abiquo import pending
from tests.conftest import MONA, wait_until


@pytest.fixture(autouse=True)
def no_news(cloud):
    """The platform's clock is behind, so its tasks are not new enough to wait for callbacks."""
    cloud.world.clock = lambda: time.time() - 60


def test_a_gate_that_was_away_finds_what_it_missed_when_it_starts(serve, text, cloud, mails):
    cloud.lose_callbacks()
    cloud.deploy_machine(59)
    serve(text)
    assert "wants to deploy web-01" in mails.to(MONA).text


def test_the_command_does_one_round_and_says_what_it_did(serve, text, cloud, approval, mails):
    serving = serve(text)
    wait_until(lambda: "reconcile" in serving.log)
    cloud.lose_callbacks()
    [task] = cloud.deploy_machine(59)
    result = approval("reconcile")
    assert result.exit_code == 0
    assert f"took in task {task}, of which no callback had come" in result.output
    assert result.output.splitlines()[-1] == "reconciled"
    assert mails.to(MONA)
    cloud.faults.down = True
    result = approval("reconcile")
    assert result.exit_code == 1
    assert "problem  abiquo: GET " in result.output


def test_the_command_asks_every_enterprise_and_not_only_whose_turn_it_is(
    serve, text, cloud, approval, monkeypatch
):
    monkeypatch.setattr(pending, "AT_ONCE", 1)
    serving = serve(text)
    wait_until(lambda: "reconcile" in serving.log)
    cloud.lose_callbacks(2)
    tasks = cloud.deploy_machine(59) + cloud.deploy_machine(66)  # of two enterprises
    output = approval("reconcile").output
    for task in tasks:
        assert f"took in task {task}, of which no callback had come" in output


def test_the_command_tells_of_an_enterprise_that_cannot_be_listed_and_sees_to_the_others(
    serve, text, cloud, approval
):
    serving = serve(text)
    wait_until(lambda: "reconcile" in serving.log)
    cloud.lose_callbacks()
    [task] = cloud.deploy_machine(66)  # of the second enterprise
    cloud.faults.plan(Fault(path="enterprises/1/action/pendingtasks", status=500, times=None))
    result = approval("reconcile")
    assert result.exit_code == 1
    assert f"took in task {task}" in result.output
    assert "enterprises/1/action/pendingtasks: 500" in result.output

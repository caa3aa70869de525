"""`approval reconcile`, and the round with which a gate starts."""

import time

import pytest

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

"""What is due only after days: reminders, and the end of the time that approvers have."""

from datetime import timedelta

import pytest

from approval.gate.ask import Patience
from approval.model import Action, Delivery, TaskState
from tests.conftest import wait_until
from tests.fakes import BEA, NOW

SOON = timedelta(seconds=1)  # as a workflow's timer goes by the world's clock, not by the gate's


@pytest.fixture
def gate(make_gate):
    return make_gate(patience=Patience(remind_after=(SOON,), decline_after=2 * SOON))


def test_who_has_not_decided_is_reminded_and_then_the_gate_declines(gate, working):
    request_id = gate.receive("1")
    wait_until(lambda: len(gate.mails.to(BEA)) == 1)
    gate.clock.now += SOON
    wait_until(lambda: len(gate.mails.to(BEA)) == 2)
    assert gate.task().state is TaskState.PENDING
    gate.clock.now += SOON
    wait_until(lambda: gate.task().delivery is Delivery.DELIVERED)
    assert gate.task().state is TaskState.DECLINED
    assert working.ended(request_id) == "declined"


def test_what_was_promised_for_later_holds_up_no_end(gate, working):
    request_id = gate.receive("1")
    wait_until(lambda: len(gate.mails.to(BEA)) == 1)
    gate.press(BEA, Action.ACCEPT, "1")
    assert working.ended(request_id) == "accepted"
    assert gate.clock() == NOW

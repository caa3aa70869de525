"""Whoever starts a gate without the key that signed links so far is told."""

import pytest

from approval.gate.rekey import rekey
from approval.model import Action
from approval.store import signing
from tests.fakes import BEA, OPERATOR, text_of

OLD, NEW, OTHER = "old", "new", "other"


@pytest.fixture
def asked(gate):
    """A gate whose mails were signed with the old key, one of which is open."""
    rekey(gate.database, [OLD], gate.clock())
    gate.ask("1")
    return gate


def start(gate, *marks):
    """Start a gate with these keys; returns how many requests have links that it cannot know."""
    return rekey(gate.database, marks, gate.clock())


def signed(gate):
    with gate.database.read() as session:
        return signing.mark(session)


def alerts(gate):
    gate.work()
    return [text_of(mail) for mail in gate.mails.to(OPERATOR)]


def test_a_gate_with_another_key_alarms_the_operator(asked):
    assert start(asked, OTHER) == 1
    [alert] = alerts(asked)
    assert "mails of open requests (1) are unknown to that gate" in alert
    assert "the same [server] secret_key" in alert


@pytest.mark.parametrize("marks", [[OLD], [OLD, NEW]])
def test_a_gate_that_knows_the_key_alarms_nobody(asked, marks):
    assert start(asked, *marks) == 0
    assert (signed(asked), alerts(asked)) == (marks[-1], [])


def test_a_gate_that_was_not_given_the_new_key_alarms_the_operator(asked):
    start(asked, OLD, NEW)
    assert start(asked, OLD) == 1
    assert len(alerts(asked)) == 1


def test_where_nothing_is_open_keys_can_be_replaced(asked):
    asked.press(BEA, Action.ACCEPT, "1")
    assert start(asked, OTHER) == 0
    assert (signed(asked), alerts(asked)) == (OTHER, [])


def test_a_key_that_was_replaced_is_told_once(asked):
    start(asked, OTHER)
    assert start(asked, OTHER) == 0
    assert len(alerts(asked)) == 1


def test_a_start_with_the_same_key_writes_nothing(asked):
    with asked.database.write():  # nobody else can write meanwhile
        assert start(asked, OLD) == 0

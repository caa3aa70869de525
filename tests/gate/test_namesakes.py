"""Two people of one name: the trail tells them apart, and vouches for who voted."""

import re

import pytest

from approval.audit import chain
from approval.gate import audit
from approval.gate.vote import open_tasks
from approval.model import Action
from approval.store import audit as trails
from approval.store import people
from tests.fakes import BEA, MAX, make_person, text_of

OTHER = make_person("Bea", key="users/bea2", address="bea2@example.org")


def faults(gate):
    with gate.database.read() as session:
        return [*map(str, audit.faults(session)), *audit.gaps(session)]


def texts(gate, kind):
    with gate.database.read() as session:
        return [event.text for event in trails.stream(session) if event.kind == kind]


@pytest.fixture
def decided(gate):
    """A request that both were asked about and that the second one accepted."""
    gate.platform.people = [BEA, OTHER, MAX]
    request_id = gate.ask("1")
    with gate.database.read() as session:
        _, other, _ = people.approvers(session, request_id)
    opened = open_tasks(gate.database, gate.platform.name, ["1"], other.id)
    gate.count(opened, Action.ACCEPT, "fine")
    gate.work()
    return request_id


def test_the_trail_names_the_address_of_who_decided(gate, decided):
    assert texts(gate, "accepted") == ["by Bea <bea2@example.org>: fine"]
    assert texts(gate, "asked") == [
        "Bea <bea@example.org>, Bea <bea2@example.org>, Max <max@example.org>"
    ]
    assert faults(gate) == []


def test_everybody_else_reads_the_name_alone(gate, decided):
    assert gate.task().decision.by == "Bea"
    assert [post.message for post in gate.platform.posts] == ["Accepted by Bea: fine"]
    for note in gate.mails.to(MAX)[1:]:
        assert "by Bea" in text_of(note)
        assert OTHER.address not in text_of(note)


CHANGES = [
    "UPDATE votes SET approver_id = (SELECT min(id) FROM approvers)",
    "UPDATE votes SET approver_id = (SELECT max(id) FROM approvers)",
    "UPDATE votes SET approver_id = NULL",
    "UPDATE votes SET action = 'decline'",
    "UPDATE votes SET comment = 'never'",
    "UPDATE votes SET cast_at = '2020-01-01 00:00:00.000000'",
    "DELETE FROM votes",
    "UPDATE approvers SET name = 'Eve'",
]


@pytest.mark.parametrize(
    "change",
    [
        *CHANGES,
        "UPDATE approvers SET address = 'eve@example.org'",
        "UPDATE approvers SET name = name || ' <' || address || '>', address = 'eve@example.org'",
    ],
)
def test_whoever_changes_who_voted_or_what_is_found(gate, decided, store, change):
    store.change(change)
    assert faults(gate) != []


def test_a_name_that_ends_in_an_address_passes_for_nobody(gate, decided, store):
    store.change("UPDATE approvers SET name = name || ' <' || address || '>', address = 'e@e.e'")
    store.change("UPDATE tasks SET decided_by = 'Bea <bea2@example.org>'")
    assert len(faults(gate)) == 2


def as_it_was(gate, request_id, store):
    """Have the trail written as gates wrote it before they named addresses."""
    with gate.database.read() as session:
        request, _, events = trails.whole(session, request_id)
    previous = chain.origin(request.id, request.platform, request.received_at)
    write = "UPDATE events SET text = ?, digest = ?, hash = ? WHERE id = ?"
    for event in events:
        named = event.kind in ("asked", "accepted")
        text = re.sub(r" <\S*>", "", event.text) if named else event.text
        digest = chain.digest_of(event.salt, text)
        previous = chain.link(
            previous, request_id, event.position, event.at, event.kind, event.task_id, digest
        )
        store.change(write, text, digest, previous, event.id)


def test_a_trail_from_before_addresses_were_named_is_whole(gate, decided, store):
    as_it_was(gate, decided, store)
    assert texts(gate, "accepted") == ["by Bea: fine"]
    assert faults(gate) == []


@pytest.mark.parametrize("change", CHANGES[1:])
def test_in_such_a_trail_too_a_change_is_found_as_far_as_names_tell(gate, decided, store, change):
    as_it_was(gate, decided, store)
    store.change(change)
    assert faults(gate) != []


def test_a_comment_that_a_database_cannot_keep_as_it_is_leaves_the_trail_whole(gate):
    gate.ask("1")
    gate.press(BEA, Action.ACCEPT, "1", comment="a\0b")
    assert faults(gate) == []


def test_a_vote_by_an_unsigned_link_is_vouched_for(gate, store):
    request_id = gate.ask("1")
    gate.press(None, Action.ACCEPT, "1")
    assert faults(gate) == []
    store.change("UPDATE votes SET approver_id = ?", gate.approver(request_id, BEA).id)
    assert faults(gate) != []

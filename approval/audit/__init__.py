"""Inspect what the gate keeps of a request: does its trail hold, and do its rows agree with it?

Pure. What the chain proves: whoever edits, removes, inserts or reorders rows without writing
all later hashes of that request anew is found. Whoever does rewrite them is found by comparing
with a head or an export that was kept elsewhere.
"""

from collections.abc import Iterator, Sequence

from approval.audit.chain import Event
from approval.audit.fault import Fault
from approval.audit.joints import broken_joints
from approval.audit.subject import Subject, SubjectApprover, SubjectTask, SubjectVote
from approval.audit.witness import contradictions

__all__ = [
    "Event", "Fault", "Subject", "SubjectApprover", "SubjectTask", "SubjectVote", "inspect",
]  # fmt: skip


def inspect(
    request: Subject, tasks: Sequence[SubjectTask], events: Sequence[Event]
) -> Iterator[Fault]:
    """Everything that is wrong with one request; `events` by their position."""
    yield from broken_joints(request, tasks, events)
    yield from contradictions(request, tasks, events)

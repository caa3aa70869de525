"""The rules: what happens to a task that the platform holds.

Pure functions over plain values. No clock, database or network: the caller looks
things up, asks here what to do, and does it.
"""

from collections.abc import Collection
from dataclasses import dataclass

from approval.model import Action, Person


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The operator's choices, as read from the settings.

    `guarded_types` None guards every type, also those that newer platforms may hold.
    `own_request` None asks the others when an approver requests something.
    """

    guarded_types: frozenset[str] | None = None
    own_request: Action | None = None
    self_approval: bool = False
    default_action: Action = Action.DECLINE


@dataclass(frozen=True)
class Settle:
    """Decide at once; nobody is asked. `quiet`: the requester need not be told either."""

    action: Action
    reason: str
    quiet: bool = False


@dataclass(frozen=True)
class Ask:
    """Keep the task pending and ask these people."""

    approvers: tuple[Person, ...]


def on_arrival(
    task_type: str, requester: Person, may_decide: Collection[Person], policy: Policy
) -> Settle | Ask:
    """Choose what to do with a held task.

    `may_decide` may include the requester, and people without an address, whom nobody can ask.
    The first rule that matches wins, so their order is part of the policy.
    """
    if policy.guarded_types is not None and task_type.upper() not in policy.guarded_types:
        return Settle(Action.ACCEPT, f"{task_type} needs no approval here", quiet=True)
    others = tuple(person for person in may_decide if not _same(person, requester))
    if len(others) < len(may_decide) and policy.own_request is not None:
        return Settle(policy.own_request, "requested by somebody who may approve it")
    left = may_decide if policy.self_approval else others
    asked = tuple(person for person in left if person.address)
    if not asked:
        return Settle(policy.default_action, "there is nobody who could be asked")
    return Ask(asked)


def _same(one: Person, other: Person) -> bool:
    """Whether these are one person, who may have two accounts with one mail address."""
    if one.key == other.key:
        return True
    return bool(one.address and other.address and one.address.lower() == other.address.lower())

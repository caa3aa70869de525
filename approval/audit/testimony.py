"""The texts of events that vouch for other rows, so that these cannot change unseen either."""

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from approval.model import Person

RECEIVED = "received"
VERIFIED = "verified"
ASKED = "asked"
CHAINED = "chained"  # what was there before trails were chained, as it stood on that day
PURGED = "purged"
DELIVERED = "delivered"
OVERTAKEN = "overtaken"
DOUBTED = "doubted"  # the platform still held what it had been told of

# Who decides without being a person with an address.
RULE = "a rule of the gate"
UNSIGNED = "somebody with an unsigned link"


def received(text: str, task_ids: Iterable[str], payload: bytes) -> str:
    """That a callback came, with these tasks of the platform's and this body."""
    return f"{text}: {', '.join(map(quoted, task_ids))}, {payload_is(payload)}"


def payload_is(payload: bytes) -> str:
    """Which body it was."""
    return f"payload sha256 {sha256(payload).hexdigest()}"


def found(requester: Person | None, missing: tuple[str, ...], tasks: Iterable[str] = ()) -> str:
    """What the platform said about a request; every word quoted, so that it can be read one way.

    `tasks` are sentences of `task_is`.
    """
    text = f"requester {_who(requester)}" if requester else "requester unknown"
    lacks = f"missing {', '.join(map(quoted, missing))}" if missing else ""
    return "; ".join(filter(None, (text, lacks, *tasks)))


def task_is(number: int, held: Any, machine: Any, previous: Any) -> str:
    """What a task is about: its row's number, and what that row holds in JSON."""
    name = machine and (machine.get("label") or machine.get("name"))
    what = f"{held['type']} of {quoted(name)}" if name else held["type"]
    content = json.dumps([held, machine, previous], sort_keys=True)
    digest = sha256(content.encode()).hexdigest()
    return f"{task_begins(number)}{what}, {quoted(held['id'])}, sha256 {digest}"


def task_begins(number: int) -> str:
    """How the sentence about a task begins."""
    return f"task {number} is "


def asked(people: Iterable[str]) -> str:
    """Who was asked, each as `person` says it."""
    return ", ".join(people)


def person(name: str, address: str) -> str:
    """Who it was among all of that name."""
    return f"{name} <{address}>"


def decided(by: str, reason: str) -> str:
    """Who accepted or declined, people as `person` says it, and why."""
    return f"by {by}: {reason}" if reason else f"by {by}"


def _who(person: Person) -> str:
    words = {
        "key": person.key, "name": person.name, "address": person.address, "role": person.role,
    }  # fmt: skip
    return ", ".join(f"{name} {quoted(word)}" for name, word in words.items() if word is not None)


def quoted(word: str) -> str:
    """A word whose end nobody can fake."""
    return json.dumps(word, ensure_ascii=False)

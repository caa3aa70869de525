"""The texts of events that vouch for other rows, so that these cannot change unseen either."""

import json
from hashlib import sha256

from approval.model import Person

RECEIVED = "received"
VERIFIED = "verified"
CHAINED = "chained"  # what was there before trails were chained, as it stood on that day
PURGED = "purged"
DELIVERED = "delivered"
OVERTAKEN = "overtaken"
DOUBTED = "doubted"  # the platform still held what it had been told of


def received(text: str, payload: bytes) -> str:
    """That a callback came, with this body."""
    return f"{text}, {payload_is(payload)}"


def payload_is(payload: bytes) -> str:
    """Which body it was."""
    return f"payload sha256 {sha256(payload).hexdigest()}"


def found(requester: Person | None, missing: tuple[str, ...]) -> str:
    """What the platform said about a request; every word quoted, so that it can be read one way."""
    text = f"requester {_who(requester)}" if requester else "requester unknown"
    return f"{text}; missing {', '.join(map(_quoted, missing))}" if missing else text


def decided(by: str, reason: str) -> str:
    """Who accepted or declined, and why."""
    return f"by {by}: {reason}" if reason else f"by {by}"


def _who(person: Person) -> str:
    words = {
        "key": person.key, "name": person.name, "address": person.address, "role": person.role,
    }  # fmt: skip
    return ", ".join(f"{name} {_quoted(word)}" for name, word in words.items() if word is not None)


def _quoted(word: str) -> str:
    return json.dumps(word, ensure_ascii=False)

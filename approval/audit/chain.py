"""The chain of the audit trail: what the hash of each event covers, and how it is written.

Each event's hash covers the hash before it, so nothing in the middle of a request's trail can
change unseen. Of the text it covers a salted digest only: text and salt can be dropped one day,
the digest stays, and the chain still holds. Pure, so that whoever holds an export can do the same.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

SALT_LENGTH = 16  # bytes; enough that nobody finds a dropped text by trying names
NO_EVENT = bytes(32)  # what the head of an empty trail is


@dataclass(frozen=True, kw_only=True)
class Event:
    """One row of the audit trail; `text` and `salt` are None when they have been purged."""

    id: int
    request_id: str
    position: int
    at: datetime
    kind: str
    task_id: int | None
    text: str | None
    salt: bytes | None
    digest: bytes
    hash: bytes


def origin(request_id: str, platform: str, received_at: datetime) -> bytes:
    """What a request's first event follows: the request itself."""
    return _hash("request", request_id, platform, _time(received_at))


def digest_of(salt: bytes, text: str) -> bytes:
    """What stands for a text in the chain."""
    return sha256(salt + text.encode("utf-8", "surrogatepass")).digest()


def link(
    previous: bytes,
    request_id: str,
    position: int,
    at: datetime,
    kind: str,
    task_id: int | None,
    digest: bytes,
) -> bytes:
    """The hash of an event, after the hash of the one before it."""
    return _hash(
        "event", previous.hex(), request_id, position, _time(at), kind, task_id, digest.hex()
    )


def extend(head: bytes, event: bytes) -> bytes:
    """The head of the whole trail, of all requests, with one more event's hash."""
    return sha256(head + event).digest()


def _hash(*parts: str | int | None) -> bytes:
    return sha256(json.dumps(parts, separators=(",", ":")).encode("ascii")).digest()


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")

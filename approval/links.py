"""Links in mails: who may decide what, until when, signed so that nobody can change it.

A link names an approver and one task, or an approver and one request. The approver belongs
to one request whose tasks were fixed when it was received, so a link can never widen.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from itsdangerous import BadData, URLSafeSerializer

from approval.model import Action

TASK = "task"
REQUEST = "request"
# Where the links of the mails and the page's forms lead, relative to the gate's public URL.
ROUTES = {Action.ACCEPT: "accept", Action.DECLINE: "decline"}
MARK = 16  # hexadecimal digits


def mark_of(key: str) -> str:
    """What tells a key apart from others and does not give it away."""
    return hmac.digest(key.encode(), b"approval.mark", hashlib.sha256).hex()[:MARK]


class LinkInvalid(Exception):
    """Raised if a token was not signed by us for this purpose."""


@dataclass(frozen=True)
class Link:
    """What a token says: which approver, which task's or request's id, until when."""

    approver_id: int
    subject: int | str
    deadline: datetime

    def expired(self, now: datetime) -> bool:
        """Whether the link may no longer be used to decide."""
        return now >= self.deadline


class Links:
    """Signs and reads links. `keys` run from the oldest to the newest, which signs, of `mark`."""

    def __init__(self, keys: Sequence[str], public_url: str, valid: timedelta) -> None:
        self._signers = {
            purpose: URLSafeSerializer(
                list(keys),
                salt=f"approval.link.{purpose}",
                signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
            )
            for purpose in (TASK, REQUEST)
        }
        self._public_url = public_url.rstrip("/")
        self.mark = mark_of(keys[-1])
        self.valid = valid

    def token(self, purpose: str, approver_id: int, subject: int | str, deadline: datetime) -> str:
        """Sign a token."""
        payload = [approver_id, subject, int(deadline.timestamp())]
        return str(self._signers[purpose].dumps(payload))

    def read(self, purpose: str, token: str) -> Link:
        """Read a token of this purpose. Raises LinkInvalid; the caller judges the deadline."""
        try:
            approver_id, subject, deadline = self._signers[purpose].loads(token)
        except (BadData, UnicodeError) as error:
            raise LinkInvalid("this link is not one of ours") from error
        return Link(approver_id, subject, datetime.fromtimestamp(deadline, UTC))

    def url(self, route: str, **query: str) -> str:
        """An absolute URL of the gate."""
        return f"{self._public_url}/{route}?{urlencode(query, safe=',')}"

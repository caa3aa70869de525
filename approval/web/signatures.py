"""Signatures of Standard Webhooks (standardwebhooks.com): who wrote these bytes, and when.

The published package reads the clock itself, knows one secret and takes text only; callbacks
may be UTF-16. It serves as the other side in the tests.
"""

import base64
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from werkzeug.datastructures import Headers

TOLERANCE = timedelta(minutes=5)
ID, TIMESTAMP, SIGNATURE = HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
SECONDS = re.compile("[0-9]{1,10}")


class SignatureWrong(Exception):
    """Raised if a body was not signed by who holds one of our keys, or not just now."""


def is_signed(headers: Headers) -> bool:
    """Whether there is anything of a signature; half of one has to be refused, not ignored."""
    return any(name in headers for name in HEADERS)


def check(headers: Headers, body: bytes, keys: Sequence[bytes], now: datetime) -> None:
    """Check the signature of a body as it was sent, byte for byte. Raises SignatureWrong."""
    missing = [name for name in HEADERS if not headers.get(name)]
    if missing:
        raise SignatureWrong(f"the callback is not signed: {', '.join(missing)} is missing")
    _check_time(headers[TIMESTAMP], now)
    content = f"{headers[ID]}.{headers[TIMESTAMP]}.".encode() + body
    given = [
        word.removeprefix("v1,").encode()
        for word in headers[SIGNATURE].split()
        if word.startswith("v1,")
    ]
    expected = [base64.b64encode(hmac.digest(key, content, "sha256")) for key in keys]
    # Every pair is compared, so that the time taken tells nothing.
    if not any([hmac.compare_digest(one, other) for one in given for other in expected]):
        raise SignatureWrong("the callback's signature is wrong")


def _check_time(timestamp: str, now: datetime) -> None:
    if not SECONDS.fullmatch(timestamp):
        raise SignatureWrong(f"{TIMESTAMP} is no time in seconds")
    if abs(now - datetime.fromtimestamp(int(timestamp), UTC)) > TOLERANCE:
        raise SignatureWrong(
            f"the callback was signed more than {TOLERANCE.seconds} s ago or ahead"
        )

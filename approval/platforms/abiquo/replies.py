"""What the platform's answers mean: success, or which kind of failure."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from approval.platforms import PlatformError
from approval.platforms.abiquo.documents import Document, DocumentError, parse

SECONDS = re.compile("[0-9]{1,9}")
CODE = re.compile("[A-Z0-9]+-[A-Z0-9]+")  # as "TASK-1"; gateways write none, or a number
MAX_SAID = 200

TRY_AGAIN = {408, 425, 429}
REFUSED = {401, 403}
MISCONFIGURED = {406, 415}  # the configured version is none of the platform's


class Rejected(PlatformError):
    """Raised for an answer that is no success; its `status` says which."""

    def __init__(self, call: str, said: str, status: int, **traits: Any) -> None:
        super().__init__(f"{call}: {said}", said=said, **traits)
        self.status = status


class NotFound(Rejected):
    """Raised if the platform answers 404; `says_so`: by its own word, not that of a proxy."""

    def __init__(self, call: str, said: str, *, says_so: bool) -> None:
        super().__init__(call, said, 404, permanent=True)
        self.says_so = says_so


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end; `call` says to what, for messages."""

    call: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def document(self) -> Document:
        """The body as a document. Raises PlatformError: a login page of a proxy, mostly."""
        try:
            return parse(self.body)
        except DocumentError as error:
            raise unreadable(self.call, error) from error


def unreadable(call: str, error: Exception) -> PlatformError:
    """What to raise for an answer that is not what the platform writes."""
    return PlatformError(f"{call}: the answer cannot be read: {error}", alert=True)


def expect(reply: Reply, success: Collection[int], now: datetime) -> Reply:
    """Pass on an answer with one of these statuses; raise PlatformError for any other."""
    if reply.status in success:
        return reply
    code, words = _said(reply.body)
    said = f"{_status(reply.status)}{f', {words}' if words else ''}"
    if reply.status == 404:
        raise NotFound(reply.call, said, says_so=CODE.fullmatch(code) is not None)
    if reply.status in REFUSED:
        raise Rejected(reply.call, said, reply.status, alert=True)
    if reply.status in TRY_AGAIN or reply.status >= 500:
        wait = _retry_after(reply.headers, now)
        raise Rejected(reply.call, said, reply.status, retry_after=wait)
    if reply.status >= 400:
        alert = reply.status in MISCONFIGURED
        raise Rejected(reply.call, said, reply.status, permanent=True, alert=alert)
    # A redirection or a success that is not documented: this is not the API.
    said = f"{said}; is api_location right?"
    raise Rejected(reply.call, said, reply.status, alert=True)


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _said(body: bytes) -> tuple[str, str]:
    """The platform's error code, and it with the message; a proxy's page is not repeated."""
    try:
        document = parse(body)
    except DocumentError:
        return "", ""
    errors = document.items("error")
    error = errors[0] if errors else document
    code, message = error.text("code") or "", error.text("message") or ""
    return code, " ".join(f"{code} {message}".split())[:MAX_SAID]


def _retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the platform asks to be left alone; it may give seconds or a date."""
    value = headers.get("Retry-After", "").strip()
    if SECONDS.fullmatch(value):
        return timedelta(seconds=int(value))
    try:
        date = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    left = date.replace(tzinfo=date.tzinfo or UTC) - now
    return left if left > timedelta() else None

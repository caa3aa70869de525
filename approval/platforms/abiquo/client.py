"""Calls to the platform's API."""

import base64
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from approval.deadline import within
from approval.platforms import PlatformError
from approval.platforms.abiquo.documents import Document
from approval.platforms.abiquo.hrefs import PATH
from approval.platforms.abiquo.replies import Reply, expect
from approval.platforms.abiquo.session import Session
from approval.platforms.abiquo.settings import Settings

MAX_BODY = 8 * 2**20
CHUNK = 2**16
CALL = 2  # times the timeout, for a whole call; a timeout only limits each silence

ANSWERED = (200,)
RELEASED = (200, 202, 204)
ERRORS = "application/json, application/xml;q=0.9, */*;q=0.1"


class Client:
    """A connection to one API with one account. May be used by several threads."""

    def __init__(self, settings: Settings) -> None:
        self.location = settings.api_location
        self._version = f"; version={settings.api_version}" if settings.api_version else ""
        self._timeout = settings.api_timeout
        # Given with each call, so that nothing in the environment comes before it.
        self._verify = str(settings.api_ca_file) if settings.api_ca_file else True
        self._session = Session(_authorization(settings))

    def get(self, path: str, entity: str, params: Mapping[str, str] | None = None) -> Document:
        """Read an object, as "virtualmachine". Raises PlatformError; NotFound for a 404."""
        media = f"application/vnd.abiquo.{entity}"
        accept = f"{media}+json{self._version}, {media}+xml{self._version};q=0.9"
        return self._call(
            "GET", path, ANSWERED, headers={"Accept": accept}, params=params
        ).document()

    def get_text(self, path: str) -> str:
        """Read a plain text. Raises PlatformError."""
        reply = self._call("GET", path, ANSWERED, headers={"Accept": "text/plain, */*;q=0.1"})
        return reply.body.decode("utf-8", "replace").strip()

    def post(self, path: str, message: str, key: str) -> None:
        """Tell the platform to act, once or again; it shows the message in its events.

        Raises PlatformError.
        """
        headers = {"Accept": ERRORS, "Idempotency-Key": key}
        if message:
            headers["Content-Type"] = "text/plain; charset=utf-8"
        reply = self._call("POST", path, RELEASED, headers=headers, data=message.encode())
        if reply.body.strip():
            reply.document()  # a page of a proxy does not say that the platform has heard

    def close(self) -> None:
        self._session.close()

    def _call(self, method: str, path: str, success: Collection[int], **request: Any) -> Reply:
        if not PATH.fullmatch(path):
            raise PlatformError(f"{path[:80]!a} is no path of the API", permanent=True)
        call = f"{method} {path}"
        try:
            with (
                within(CALL * self._timeout),
                self._session.request(
                    method,
                    f"{self.location}/{path}",
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                    verify=self._verify,
                    **request,
                ) as response,
            ):
                reply = Reply(call, response.status_code, response.headers, _read(response))
        except (OSError, HTTPError) as error:  # all of requests and all of urllib3
            raise _unanswered(call, error) from error
        return expect(reply, success, datetime.now(UTC))


def _authorization(settings: Settings) -> str:
    if settings.api_token:
        return f"Token {settings.api_token.get_secret_value()}"
    password = settings.api_password.get_secret_value() if settings.api_password else ""
    account = f"{settings.api_username}:{password}".encode()
    return f"Basic {base64.b64encode(account).decode()}"


def _read(response: requests.Response) -> bytes:
    """The whole body, if it is of a size that can be."""
    parts, size = [], 0
    while part := response.raw.read1(CHUNK, decode_content=True):
        size += len(part)
        if size > MAX_BODY:
            raise HTTPError(f"the answer is larger than {MAX_BODY} bytes")
        parts.append(part)
    return b"".join(parts)


def _unanswered(call: str, error: Exception) -> PlatformError:
    """Whether the platform acted is unknown. A certificate that does not fit is for people."""
    alert = isinstance(error, requests.exceptions.SSLError)
    return PlatformError(f"{call}: {_reason(error)}", alert=alert)


def _reason(error: BaseException) -> str:
    """What went wrong, from the layer that knows; those above repeat the whole address."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return str(error)[:200] or type(error).__name__

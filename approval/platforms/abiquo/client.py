"""Calls to the platform's API."""

import base64
from collections.abc import Collection, Mapping
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import urlencode

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError, SSLError
from urllib3.util import parse_url

from approval.deadline import within
from approval.platforms import PlatformError
from approval.platforms.abiquo.connections import open_pool
from approval.platforms.abiquo.documents import Document
from approval.platforms.abiquo.hrefs import PATH
from approval.platforms.abiquo.replies import Reply, expect
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
        self._base = parse_url(self.location).path or ""
        self._headers = {
            "Authorization": _authorization(settings),
            "User-Agent": "approval",
            "Accept-Encoding": "identity",  # answers are small; what unpacks may not be
        }
        self._pool = open_pool(settings)

    def get(self, path: str, entity: str, params: Mapping[str, str] | None = None) -> Document:
        """Read an object, as "virtualmachine". Raises PlatformError; NotFound for a 404."""
        media = f"application/vnd.abiquo.{entity}"
        accept = f"{media}+json{self._version}, {media}+xml{self._version};q=0.9"
        query = f"?{urlencode(params)}" if params else ""
        return self._call("GET", path, ANSWERED, {"Accept": accept}, query=query).document()

    def get_text(self, path: str) -> str:
        """Read a plain text. Raises PlatformError."""
        reply = self._call("GET", path, ANSWERED, {"Accept": "text/plain, */*;q=0.1"})
        return reply.body.decode("utf-8", "replace").strip()

    def post(self, path: str, message: str, key: str) -> None:
        """Tell the platform to act, once or again; it shows the message in its events.

        Raises PlatformError.
        """
        headers = {"Accept": ERRORS, "Idempotency-Key": key}
        if message:
            headers["Content-Type"] = "text/plain; charset=utf-8"
        reply = self._call("POST", path, RELEASED, headers, body=message.encode())
        if reply.body.strip():
            reply.document()  # a page of a proxy does not say that the platform has heard

    def close(self) -> None:
        self._pool.close()

    def _call(
        self,
        method: str,
        path: str,
        success: Collection[int],
        headers: Mapping[str, str],
        *,
        query: str = "",
        body: bytes | None = None,
    ) -> Reply:
        if not PATH.fullmatch(path):
            raise PlatformError(f"{path[:80]!a} is no path of the API", permanent=True)
        call = f"{method} {path}"
        response = None
        try:
            with within(CALL * self._timeout):
                response = self._pool.urlopen(
                    method,
                    f"{self._base}/{path}{query}",
                    body,
                    {**self._headers, **headers},
                    timeout=self._timeout,
                    redirect=False,
                    preload_content=False,
                )
                with closing(response):  # its connection is kept if it was read to its end
                    reply = Reply(call, response.status, response.headers, _read(response))
        except (OSError, HTTPError) as error:
            # Of TLS that fails from the start people have to hear: a certificate does not fit.
            alert = response is None and isinstance(error, SSLError)
            # Whether the platform acted is unknown.
            raise PlatformError(f"{call}: {_reason(error)}", alert=alert) from error
        return expect(reply, success, datetime.now(UTC))


def _authorization(settings: Settings) -> str:
    if settings.api_token:
        return f"Token {settings.api_token.get_secret_value()}"
    password = settings.api_password.get_secret_value() if settings.api_password else ""
    account = f"{settings.api_username}:{password}".encode()
    return f"Basic {base64.b64encode(account).decode()}"


def _read(response: BaseHTTPResponse) -> bytes:
    """The whole body, if it is of a size that can be."""
    parts, size = [], 0
    while part := response.read1(CHUNK, decode_content=True):
        size += len(part)
        if size > MAX_BODY:
            raise HTTPError(f"the answer is larger than {MAX_BODY} bytes")
        parts.append(part)
    return b"".join(parts)


def _reason(error: BaseException) -> str:
    """What went wrong, from the layer that knows; those above repeat the whole address."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return str(error)[:200] or type(error).__name__

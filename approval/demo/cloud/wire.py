"""The way of a call to the API: where it is written down, and where it can go wrong."""

import io
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from waitress.channel import ClientDisconnected
from werkzeug.datastructures import EnvironHeaders, Headers

from approval.demo.cloud.faults import Fault, Faults

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass(frozen=True)
class Call:
    """A call to the API. `status` is None where the connection was dropped."""

    method: str
    path: str  # with the query
    headers: Headers
    body: bytes
    status: int | None
    at: float  # when it was answered, on the monotonic clock


class Wire:
    """Wraps the application; what does not go to the API passes untouched."""

    def __init__(self, app: "WSGIApplication", faults: Faults, keep_calls: int) -> None:
        self.faults = faults
        self.calls: deque[Call] = deque(maxlen=keep_calls)
        self._app = app
        self._cut = threading.Event()

    def cut(self) -> None:
        """Drop the calls that are being delayed, so that nobody waits for them."""
        self._cut.set()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/api/"):
            return self._app(environ, start_response)
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = io.BytesIO(body)
        statuses: list[int | None] = [None]

        def note_status(status: str, headers: Any, *rest: Any) -> Any:
            statuses.append(int(status[:3]))
            return start_response(status, headers, *rest)

        try:
            return self._carry(environ, note_status)
        except ClientDisconnected:
            statuses.append(None)
            raise
        finally:
            self._note(environ, body, statuses[-1])

    def _carry(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        fault = self.faults.take(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        self._wait(self.faults.latency)
        if fault is None:
            return self._app(environ, start_response)
        if fault.status or fault.drop:
            return self._fail(fault, environ, start_response)
        return self._dawdle(fault, environ, start_response)

    def _fail(
        self, fault: Fault, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if fault.after:
            self._act_unheard(environ)
        self._wait(fault.delay)
        if fault.drop:
            raise ClientDisconnected  # makes waitress close the connection without an answer
        return _answer(fault, start_response)

    def _dawdle(
        self, fault: Fault, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if not fault.after:
            self._wait(fault.delay)
            return self._app(environ, start_response)
        answer = self._app(environ, start_response)
        self._wait(fault.delay)
        return answer

    def _wait(self, seconds: float) -> None:
        if seconds and self._cut.wait(seconds):
            raise ClientDisconnected

    def _act_unheard(self, environ: "WSGIEnvironment") -> None:
        answer = self._app(environ, lambda *_: lambda _: None)
        if close := getattr(answer, "close", None):
            close()

    def _note(self, environ: "WSGIEnvironment", body: bytes, status: int | None) -> None:
        if self.calls.maxlen == 0:
            return
        path = environ["PATH_INFO"]
        if environ["QUERY_STRING"]:
            path += "?" + environ["QUERY_STRING"]
        headers = Headers(EnvironHeaders(environ))
        method = environ["REQUEST_METHOD"]
        self.calls.append(Call(method, path, headers, body, status, time.monotonic()))


def _answer(fault: Fault, start_response: "StartResponse") -> list[bytes]:
    status = HTTPStatus(fault.status or 500)
    headers = {"Content-Length": str(len(fault.body)), **fault.headers}
    start_response(f"{status.value} {status.phrase}", list(headers.items()))
    return [fault.body]

"""Courtesy: work that can wait lets the answers to platforms and people go first.

All threads of a process share one interpreter. Without this, a flood of callbacks is
answered three times slower, because what they ask for is begun at the same moment.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from approval.gate import Handler, Record
from approval.model import Job

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Any]
QUIET = 0.02  # seconds without a web request
PAUSE = 0.02  # seconds between looks
TURN = 0.2  # seconds; under a flood that does not end, five jobs a second go on, one by one


class Courtesy:
    """Knows when the last web request came, and when the last job began."""

    def __init__(self) -> None:
        self._last = 0.0
        self._turn = 0.0
        self._queue = threading.Lock()

    def wrap(self, app: WSGI) -> WSGI:
        """The application with its requests noticed, when they begin and when they end."""

        def noticed(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            self._last = time.monotonic()
            try:
                return app(environ, start_response)
            finally:
                self._last = time.monotonic()

        return noticed

    def before(self, handler: Handler) -> Handler:
        """The handler of a job that can wait."""

        def courteous(job: Job, now: datetime) -> Record:
            begun = time.monotonic()
            self.wait()
            return handler(job, now + timedelta(seconds=time.monotonic() - begun))

        return courteous

    def wait(self) -> None:
        """Wait until the web has been quiet for a moment, or it is one's turn.

        One thread looks, the others wait for it: each that wakes up takes time from the web.
        """
        with self._queue:
            while self._busy():
                time.sleep(PAUSE)
            self._turn = time.monotonic()

    def _busy(self) -> bool:
        now = time.monotonic()
        return now - self._last <= QUIET and now - self._turn <= TURN

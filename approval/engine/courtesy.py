"""Courtesy: work that can wait lets the answers to platforms and people go first.

All threads of a process share one interpreter. Without this, a flood of callbacks is
answered three times slower, because what they ask for is begun at the same moment.
"""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from approval.gate import Handler, Record
from approval.model import Job

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Any]
QUIET = 0.02  # seconds without a web request
PAUSE = 0.05  # seconds between looks
LOOKS = 20  # under a flood that does not end, work goes on at a job a second for each thread


class Courtesy:
    """Knows when the last web request came."""

    def __init__(self) -> None:
        self._last = 0.0

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
            self.wait()
            return handler(job, now)

        return courteous

    def wait(self) -> None:
        """Wait until the web has been quiet for a moment, or patience ends."""
        for _ in range(LOOKS):
            if time.monotonic() - self._last > QUIET:
                return
            time.sleep(PAUSE)

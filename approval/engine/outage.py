"""An outage of the store: said when it begins and when it ends, not by each thread at each try."""

import threading
import time

import structlog

SAY_EVERY = 60.0  # seconds, while it lasts or comes again and again
log = structlog.get_logger("approval.engine")


class Outage:
    """Whether the store is down for the threads that share this."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: float | None = None
        self._said: float | None = None  # when it was last said that it is down
        self._silent = True  # nothing was said of this one

    def note(self, lane: str, error: Exception) -> None:
        """Something did not work."""
        with self._lock:
            now = time.monotonic()
            self._since = since = now if self._since is None else self._since
            if self._said is not None and now - self._said < SAY_EVERY:
                return
            self._said, self._silent = now, False
        log.error("store down", lane=lane, error=str(error), seconds=round(now - since))

    def over(self) -> None:
        """It works."""
        if self._since is None:
            return  # as nearly always, without a lock
        with self._lock:
            since, silent = self._since, self._silent
            self._since, self._silent = None, True
        if since is not None and not silent:
            log.info("store is back", seconds=round(time.monotonic() - since))

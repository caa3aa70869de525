"""An outage of the store: said when it begins and when it ends, not by each thread at each try."""

import threading
import time

import structlog

SAY_EVERY = 60.0  # seconds, while it lasts or comes again and again
log = structlog.get_logger("approval.engine")


class Outage:
    """In which lanes the store is down, for the threads that share this."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lanes: set[str] = set()
        self._since = 0.0
        self._said: float | None = None  # when it was last said that it is down
        self._silent = True  # nothing was said of this one

    def note(self, lane: str, error: Exception) -> None:
        """Something did not work."""
        with self._lock:
            now = time.monotonic()
            if not self._lanes:
                self._since = now
            self._lanes.add(lane)
            if self._said is None or now - self._said >= SAY_EVERY:
                self._said, self._silent = now, False
                lasts = round(now - self._since)
                log.error("store down", lane=lane, error=str(error), seconds=lasts)

    def over(self, lane: str) -> None:
        """It works, there at least."""
        if lane not in self._lanes:
            return  # as nearly always, without a lock
        with self._lock:
            self._lanes.discard(lane)
            if not self._lanes and not self._silent:
                self._silent = True
                log.info("store is back", seconds=round(time.monotonic() - self._since))

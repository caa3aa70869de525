"""Allowances: so many in a time for each of many, the rest has to wait."""

from datetime import datetime, timedelta
from threading import Lock

from cachetools import LRUCache

KEPT = 10_000  # keys; who was not seen for longest is forgotten, so memory stays bounded
NO_WAIT = timedelta(0)


class Allowance:
    """Counts by key, from the first of each on; may be used by several threads.

    A `limit` of 0 is no limit.
    """

    def __init__(self, limit: int, length: timedelta) -> None:
        self._limit = limit
        self._length = length
        self._spent: LRUCache[str, tuple[datetime, int]] = LRUCache(KEPT)
        self._lock = Lock()

    def take(self, key: str, now: datetime) -> timedelta:
        """Count one, unless the allowance is spent; returns how long to wait then, else zero."""
        with self._lock:
            since, count = self._of(key, now)
            if self._limit and count >= self._limit:
                return since + self._length - now
            self._spent[key] = since, count + 1
            return NO_WAIT

    def give_back(self, key: str, now: datetime) -> None:
        """Uncount one that came to nothing."""
        with self._lock:
            since, count = self._of(key, now)
            self._spent[key] = since, max(count - 1, 0)

    def wait(self, key: str, now: datetime) -> timedelta:
        """How long to wait before the next; counts nothing."""
        with self._lock:
            since, count = self._of(key, now)
            spent = self._limit and count >= self._limit
            return since + self._length - now if spent else NO_WAIT

    def _of(self, key: str, now: datetime) -> tuple[datetime, int]:
        since, count = self._spent.get(key, (now, 0))
        return (since, count) if now < since + self._length else (now, 0)

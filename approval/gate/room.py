"""Room: so many tasks may be pending; a flood beyond that is not taken in."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from approval.clock import Clock
from approval.gate.trouble import raise_alert
from approval.store import pending
from approval.store.database import Database

COUNT_AGAIN_AFTER = timedelta(seconds=5)


class Room:
    """Knows whether more tasks may be taken in; used by several threads. `most` 0: always.

    It adds up what is taken in, which is never too few, because decisions are left out. Only
    when there seems to be no room left it counts what is really pending, and not again for a
    while if there is none indeed. So a callback costs no query as long as there is room, and
    a flood beyond costs nearly none.
    """

    def __init__(self, database: Database, most: int, clock: Clock) -> None:
        self._database = database
        self._most = most
        self._clock = clock
        self._left = 0
        self._under_way = 0  # which counting may not see yet
        self._full_at: datetime | None = None  # when it was last counted in vain
        self._lock = threading.Lock()

    @contextmanager
    def take(self, count: int, *, part: bool = False) -> Iterator[int]:
        """Give room to all of these tasks or none, or with `part` to some of them; to how many?

        They are stored in this block. Raises StoreDown.
        """
        with self._lock:
            left = self._room_for(count)
            taken = count if count <= left else max(left, 0) if part else 0
            self._left -= taken
            self._under_way += taken
        try:
            yield taken
        finally:
            with self._lock:
                self._under_way -= taken

    def _room_for(self, count: int) -> int:
        """How much room there is, counted again if that seems too little."""
        if not self._most:
            return count
        now = self._clock()
        is_known = self._full_at is not None and now - self._full_at < COUNT_AGAIN_AFTER
        if self._left < count and not is_known:
            with self._database.read() as session:
                waiting = pending.count(session) + self._under_way
            self._left = self._most - waiting
            if self._left < count:
                self._full_at = now
                self._tell(now)
        return self._left

    def _tell(self, now: datetime) -> None:
        """Tell the operator, who hears of it once an hour."""
        with self._database.write() as session:
            raise_alert(
                session,
                "no-room",
                "New tasks are turned away: too many wait for a decision",
                f"{self._most - self._left} tasks are pending, and [server] most_pending is "
                f"{self._most}. Callbacks are answered with 503 until some are decided. Nothing is "
                "lost: the platform holds its tasks, and reconciling takes them in as soon as "
                "there is room.",
                "If all of them are meant, raise [server] most_pending. If not, find out who "
                "calls, and change [server] callback_secret.",
                now,
            )

"""Reading from the platform: many things side by side, what rarely changes not twice."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock

from cachetools import TTLCache, cached

from approval.platforms import PlatformError
from approval.platforms.abiquo.client import Client
from approval.platforms.abiquo.documents import Document

Answer = Document | PlatformError

WORKERS = 16
READS_PER_TIMEOUT = 50
LONGEST = 120  # seconds, unless the timeout is longer still
KEPT_SECONDS = 60
KEPT_SIZE = 1000
KEPT = {
    "enterprise",
    "role",
    "user",
    "virtualappliance",
    "virtualdatacenter",
    "virtualmachinetemplate",
}


class Reader:
    """Reads from one API. May be used by several threads."""

    def __init__(
        self, client: Client, timeout: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._timeout = timeout
        # Only single reads run there, which wait for no other, so it cannot lock up.
        self._under_way: dict[str, Future[Answer]] = {}
        self._lock = Lock()
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="abiquo")
        kept: TTLCache[tuple[object, ...], Document] = TTLCache(KEPT_SIZE, KEPT_SECONDS, clock)
        self._get_kept = cached(kept, lock=Lock())(client.get)  # failures are not kept

    def get(self, path: str, entity: str) -> Document:
        """Read one thing. Raises PlatformError."""
        return (self._get_kept if entity in KEPT else self._client.get)(path, entity)

    def get_all(self, wanted: Mapping[str, str]) -> dict[str, Answer]:
        """Read things side by side: entities by path to answers by path, failures among them."""
        futures = {path: self._begin(path, entity) for path, entity in wanted.items()}
        for future in wait(futures.values(), self._patience(len(futures))).not_done:
            future.cancel()
        return {path: _answered(path, future) for path, future in futures.items()}

    def close(self) -> None:
        self._workers.shutdown(cancel_futures=True)

    def _begin(self, path: str, entity: str) -> Future[Answer]:
        """Begin to read, or join who reads the same thing at this moment."""
        with self._lock:
            future = self._under_way.get(path)
            if future is None or future.done():  # `_end` hears of it later
                future = self._workers.submit(self._answer, path, entity)
                self._under_way[path] = future
        future.add_done_callback(lambda ended: self._end(path, ended))
        return future

    def _end(self, path: str, future: Future[Answer]) -> None:
        with self._lock:
            if self._under_way.get(path) is future:
                del self._under_way[path]

    def _patience(self, reads: int) -> float:
        """Many reads may take longer than one, but a silent platform is not asked in turn."""
        return max(self._timeout, min(self._timeout * (1 + reads / READS_PER_TIMEOUT), LONGEST))

    def _answer(self, path: str, entity: str) -> Answer:
        try:
            return self.get(path, entity)
        except PlatformError as error:
            return error


def _answered(path: str, future: Future[Answer]) -> Answer:
    """The answer of a read that has ended; others may have given it up too."""
    if future.done() and not future.cancelled():
        return future.result()
    return PlatformError(f"GET {path}: no answer in time")

"""Reading from the platform: many things side by side, what rarely changes not twice."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Lock

from cachetools import TTLCache, cached

from approval.platforms import PlatformError
from approval.platforms.abiquo.client import Client
from approval.platforms.abiquo.documents import Document

Answer = Document | PlatformError

WORKERS = 8
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
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="abiquo")
        kept: TTLCache[tuple[object, ...], Document] = TTLCache(KEPT_SIZE, KEPT_SECONDS, clock)
        self._get_kept = cached(kept, lock=Lock())(client.get)  # failures are not kept

    def get(self, path: str, entity: str) -> Document:
        """Read one thing. Raises PlatformError."""
        return (self._get_kept if entity in KEPT else self._client.get)(path, entity)

    def get_all(self, wanted: Mapping[str, str]) -> dict[str, Answer]:
        """Read things side by side: entities by path to answers by path, failures among them."""
        futures = {
            self._workers.submit(self._answer, path, entity): path
            for path, entity in wanted.items()
        }
        done, late = wait(futures, self._patience(len(futures)))
        for future in late:
            future.cancel()
        return {futures[future]: future.result() for future in done} | {
            futures[future]: PlatformError(f"GET {futures[future]}: no answer in time")
            for future in late
        }

    def close(self) -> None:
        self._workers.shutdown(cancel_futures=True)

    def _patience(self, reads: int) -> float:
        """Many reads may take longer than one, but a silent platform is not asked in turn."""
        return max(self._timeout, min(self._timeout * (1 + reads / READS_PER_TIMEOUT), LONGEST))

    def _answer(self, path: str, entity: str) -> Answer:
        try:
            return self.get(path, entity)
        except PlatformError as error:
            return error

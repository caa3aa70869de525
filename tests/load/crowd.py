"""People who do the same again and again, at a pace, whatever else goes on."""

import random
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

Act = Callable[[], object]


class Crowd:
    """Acts in threads until it is dispersed. What an act raises is told to `blame`."""

    def __init__(self, blame: Callable[[str], None], threads: int = 24) -> None:
        self._blame = blame
        self._pool = ThreadPoolExecutor(threads)
        self._over = threading.Event()
        self._paces: list[threading.Thread] = []
        self._busy = 0
        self._counting = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether anybody is still at what was begun."""
        return self._busy > 0

    def keep(self, act: Act, per_second: float) -> None:
        """Have somebody do this so often, in the long run; nobody waits for who is slow."""
        thread = threading.Thread(target=self._pace, args=(act, per_second))
        self._paces.append(thread)
        thread.start()

    def do(self, act: Act) -> None:
        """Have somebody do this once."""
        with self._counting:
            self._busy += 1
        self._pool.submit(act).add_done_callback(self._done)

    def rest(self) -> None:
        """Begin nothing any more; what was begun goes on."""
        self._over.set()
        for thread in self._paces:
            thread.join()

    def close(self) -> None:
        self.rest()
        self._pool.shutdown()

    def _pace(self, act: Act, per_second: float) -> None:
        chance, due = random.Random(per_second), time.monotonic()  # noqa: S311 - not a secret
        while not self._over.wait(max(0.0, due - time.monotonic())):
            self.do(act)
            due += chance.expovariate(per_second)

    def _done(self, future: Future[object]) -> None:
        with self._counting:
            self._busy -= 1
        if error := future.exception():
            self._blame("".join(traceback.format_exception(error)))

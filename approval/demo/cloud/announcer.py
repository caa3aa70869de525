"""Callbacks: the platform tells the workflow endpoint what it holds, once."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import requests

from approval.demo.cloud.documents import tasks as documents
from approval.demo.cloud.documents.document import write, write_shuffled
from approval.demo.cloud.task import Task
from approval.demo.cloud.world import World

log = logging.getLogger(__name__)

TIMEOUTS = (60.0, 10.0)  # seconds to connect and to wait for the answer, as the platform has them


@dataclass(frozen=True)
class Announcement:
    """A callback that was sent; `status` is None if there was no answer."""

    body: bytes
    status: int | None


class Announcer:
    """Sends callbacks in threads. `failed` is told of tasks whose callback came to nothing.

    The next `to_lose` callbacks never arrive, and nobody notices.
    """

    def __init__(
        self,
        world: World,
        url: str | None,
        location: Callable[[], str],
        timeouts: tuple[float, float] = TIMEOUTS,
    ) -> None:
        self.url = url
        self.to_lose = 0
        self.sent: deque[Announcement] = deque(maxlen=1000)
        self.failed: Callable[[Sequence[Task]], None] = lambda tasks: None
        self._world = world
        self._location = location
        self._timeouts = timeouts
        self._pool = ThreadPoolExecutor(16, thread_name_prefix="callback")
        self._under_way: set[Future[None]] = set()
        self._lock = threading.Lock()
        self._session = requests.Session()
        self._session.trust_env = False

    def announce(self, tasks: Sequence[Task], collection: bool) -> None:
        """Send the callback for the tasks of one operation, without waiting for it."""
        if self._is_lost():
            return
        body = self.body(tasks, collection)
        for _ in range(self._world.personality.copies):
            future = self._pool.submit(self._send, list(tasks), body)
            with self._lock:
                self._under_way.add(future)
            future.add_done_callback(self._arrived)

    def _is_lost(self) -> bool:
        with self._lock:
            lost = self.to_lose > 0
            self.to_lose -= lost
        return lost

    def body(self, tasks: Sequence[Task], collection: bool) -> bytes:
        """What a callback for these tasks says."""
        personality, now = self._world.personality, self._world.clock()
        titles = personality.user_titles
        items = [documents.announced_task(task, now, user_titles=titles) for task in tasks]
        document = documents.tasks(items) if collection else items[0]
        written = write_shuffled if personality.shuffled else write
        root = personality.hrefs.format(api=self._location())
        return written(document, personality.format, root)

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is under way; say whether it came to that."""
        with self._lock:
            under_way = set(self._under_way)
        return not wait(under_way, timeout).not_done

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._session.close()

    def _arrived(self, future: Future[None]) -> None:
        with self._lock:
            self._under_way.discard(future)

    def _send(self, tasks: Sequence[Task], body: bytes) -> None:
        status = self._post(body)
        self.sent.append(Announcement(body, status))
        if status is None or not 200 <= status < 300:
            self._give_up(tasks)

    def _post(self, body: bytes) -> int | None:
        if self.url is None:
            return None
        try:
            return self._session.post(
                self.url,
                data=body,
                headers=self._headers(),
                timeout=self._timeouts,
                allow_redirects=False,
            ).status_code
        except requests.RequestException as error:
            log.info("callback to %s: %s", self.url, error)
            return None

    def _headers(self) -> dict[str, str]:
        personality = self._world.personality
        if not personality.content_type:
            return {}
        media_type = f"application/vnd.abiquo.tasks+{personality.format}"
        return {"Content-Type": f"{media_type}; version={personality.version}"}

    def _give_up(self, tasks: Sequence[Task]) -> None:
        """Tell the user, and never try again."""
        with self._world.lock:
            for task in tasks:
                text = f"Virtual machine '{task.machine.label}' workflow {task.type.lower()}"
                text += f" webhook request for task '{task.id}' failed"
                self._world.trace(text, task=task.id, code="WKF-01")
        self.failed(tasks)

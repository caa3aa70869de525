"""A gate as a process, between a simulated platform and a mail server that live here."""

import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from approval.clock import utc_now
from approval.demo.cloud import Cloud, sample_world
from tests.conftest import settings_text
from tests.crash.service import Service, free_port, start
from tests.load.answering import Managers
from tests.load.crowd import Crowd
from tests.load.ledger import Ledger
from tests.load.post import Post

PACE = 0.1  # seconds for each step of an operation on the platform
SETTINGS = "[engine]\nreconcile_every = 30 seconds"


@dataclass
class Site:
    """All that takes part, and the crowd of those who act."""

    cloud: Cloud
    post: Post
    ledger: Ledger
    managers: Managers
    crowd: Crowd
    folder: Path
    port: int
    service: Service

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Ask the store behind the gate's back."""
        with closing(sqlite3.connect(self.folder / "workflow.db", timeout=10)) as store:
            return store.execute(query, values).fetchall()

    def hurry(self) -> None:
        """Make every job due that nobody works on, as if the time until then had passed."""
        now = utc_now().strftime("%Y-%m-%d %H:%M:%S.%f")
        with closing(sqlite3.connect(self.folder / "workflow.db", timeout=10)) as store, store:
            store.execute("UPDATE jobs SET due = ? WHERE lease IS NULL AND due > ?", (now, now))


@contextmanager
def served() -> Iterator[Site]:
    """A site where nothing has happened yet; leaves nothing behind."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    ledger = Ledger(url)
    crowd = Crowd(ledger.blame)
    managers = Managers(ledger, crowd.do)
    world = sample_world(pace=PACE, events=deque())
    with (
        TemporaryDirectory() as folder,
        closing(Post(managers.read)) as post,
        Cloud(world=world, keep_calls=0) as cloud,
        closing(crowd),
    ):
        text = settings_text(cloud, post.mailbox, SETTINGS)
        text = text.replace("bind_port = 0", f"bind_port = {port}")
        text = text.replace("[mail]", "[mail]\nmost_per_hour = 0")
        (Path(folder) / "workflow.cfg").write_text(text, "utf-8")
        service = start(Path(folder), url, afresh=True)
        try:
            assert service.alive, (Path(folder) / "log").read_text("utf-8")
            yield Site(cloud, post, ledger, managers, crowd, Path(folder), port, service)
        finally:
            service.kill()

"""People and a platform around a gate that dies: whatever was cut off, they try once more."""

import signal
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from approval.clock import utc_now
from approval.demo.cloud import Cloud, add_equipped
from approval.demo.mailbox import Mailbox
from approval.model import Action
from approval.store.database import Database
from approval.store.migrate import upgrade
from tests.conftest import MONA, press, settings_text, wait_until
from tests.crash.service import Service, free_port, start
from tests.mails import Mails, Received

_one_at_a_time = threading.Lock()  # Python 3.11 cannot compile routes in two threads at once
# What has to end before everything is at rest; others may wait for their time.
ERRANDS = ("consider", "ask", "release", "outcome", "note")


@dataclass
class Stage:
    """A cloud, a mailbox and a gate that dies at each of these moments of its lives in turn."""

    cloud: Cloud
    mailbox: Mailbox
    folder: Path
    url: str
    deaths: list[int]
    afresh: bool
    answered: list[str] = field(default_factory=list)  # tasks whose callback was answered 2xx
    forgotten: list[str] = field(default_factory=list)  # tasks of which the gate keeps nothing
    shown: set[tuple[str, Action]] = field(default_factory=set)  # what 200 pages said of tasks
    killed: int = 0

    def __post_init__(self) -> None:
        self.mails = Mails(self.mailbox)
        self._lock = threading.RLock()
        self.service = self._start()

    def deploy(self, count: int = 1) -> list[str]:
        """Deploy fresh machines as one operation, once more if the gate knows nothing of it."""
        service = self.service
        tasks = self.hold(count)
        [sent] = [call for call in self.cloud.callbacks if tasks[0].encode() in call.body]
        if sent.status is not None:
            assert sent.status == 202, (sent.status, (self.folder / "log").read_text("utf-8"))
            self.answered += tasks
            return tasks
        self.revive(service)
        if self.rows("SELECT 1 FROM tasks WHERE platform_task_id = ?", tasks[0]):
            return tasks
        self.forgotten += tasks
        for task in tasks:
            self.cloud.decide(task, "cancel")  # the user sees that the call failed
        return self.deploy(count)

    def hold(self, count: int = 1) -> list[str]:
        """Deploy fresh machines as one operation; waits until nobody is being called any more."""
        world = self.cloud.world
        with world.lock:
            appliance = world.add_appliance(world.datacenters[3], "Fresh")
            for number in range(count):
                add_equipped(world, appliance, world.users[1], f"fresh-{number}")
        tasks = self.cloud.deploy_appliance(appliance.id)
        assert self.cloud.wait_for_callbacks(30)
        return tasks

    def press(self, tasks: Sequence[str], action: Action, to: str = MONA) -> int:
        """Press the button in the mail about these tasks; returns the status of the answer."""
        mail = self.mail(tasks[0], to)
        one = len(tasks) == 1
        link = mail.link(action, task=tasks[0]) if one else mail.link("multiple", action=action)
        service = self.service
        try:
            answer = press(link)
        except requests.RequestException:
            self.revive(service)
            return self.press(tasks, action, to)
        assert answer.status_code in (200, 410), answer.text
        if answer.status_code == 200:
            self.shown.update((task, action) for task in tasks)
        return answer.status_code

    def mail(self, task: str, to: str) -> Received:
        """The mail that asks somebody about a task; waits for it, whatever dies meanwhile."""

        def come() -> bool:
            self._watch()
            return any(task in (mail.text or "") and to in mail.recipients for mail in box.messages)

        box = self.mailbox
        wait_until(come, timeout=60)
        return self.mails.about(task, to)

    def rest(self) -> None:
        """Wait until nothing is left to do; time is not waited for."""
        wait_until(self._rests, timeout=60)

    def bring_on(self, kind: str, over: str) -> None:
        """Let the time come for jobs that wait for it, until the query `over` finds something."""

        def is_over() -> bool:
            self._watch()
            if self.rows(over):
                return True
            self._hurry(kind)
            return False

        wait_until(is_over, timeout=60)
        self.rest()

    def end(self) -> int | None:
        """Ask the gate to end, and return how it ended.

        Its last commit can be seen before the moment after it, at which it may have to die.
        """
        service = self.service
        code = service.end()
        if code != -signal.SIGKILL:
            return code
        self.revive(service)
        self.rest()
        return self.end()

    def revive(self, dead: Service) -> None:
        """See to it that another service takes the place of a dead one."""
        with self._lock:
            if self.service is dead:
                dead.wait_for_death()
                self.killed += 1
                self.service = self._start()

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Ask the store behind the gate's back."""
        with closing(sqlite3.connect(self.folder / "workflow.db", timeout=10)) as store:
            return store.execute(query, values).fetchall()

    def change(self, statement: str, *values: object) -> None:
        """Change the store behind the gate's back."""
        with closing(sqlite3.connect(self.folder / "workflow.db", timeout=10)) as store, store:
            store.execute(statement, values)

    def _start(self) -> Service:
        last = self.deaths.pop(0) if self.deaths else None
        return start(self.folder, self.url, last, afresh=self.afresh and last is None)

    def _watch(self) -> None:
        service = self.service
        if not service.alive:
            self.revive(service)

    def _rests(self) -> bool:
        self._watch()
        places = ", ".join("?" * len(ERRANDS))
        working = "SELECT 1 FROM jobs WHERE parked_at IS NULL AND (due <= ? OR lease IS NOT NULL)"
        waiting = f"SELECT id FROM jobs WHERE parked_at IS NULL AND kind IN ({places})"  # noqa: S608
        if self.rows(working, _now()):
            return False
        if not self.rows(waiting, *ERRANDS):
            return True
        self._hurry(*ERRANDS)
        return False

    def _hurry(self, *kinds: str) -> None:
        now, places = _now(), ", ".join("?" * len(kinds))
        chosen = f"kind IN ({places}) AND parked_at IS NULL AND lease IS NULL AND due > ?"
        self.change(f"UPDATE jobs SET due = ? WHERE {chosen}", now, *kinds, now)  # noqa: S608


def _now() -> str:
    """The time as the store has it."""
    return utc_now().strftime("%Y-%m-%d %H:%M:%S.%f")


@contextmanager
def staged(
    deaths: Sequence[int] = (), *, settings: str = "", afresh: bool = False
) -> Iterator[Stage]:
    """A stage on which nothing has happened yet; leaves nothing behind."""
    port = free_port()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        with _one_at_a_time:
            mailbox = stack.enter_context(Mailbox())
            cloud = stack.enter_context(Cloud())
        text = settings_text(cloud, mailbox, settings).replace("port = 0", f"port = {port}")
        (folder / "workflow.cfg").write_text(text, "utf-8")
        (folder / "workflow.db").write_bytes(_empty_store())
        url = f"http://127.0.0.1:{port}"
        cloud.callback_url = f"{url}/callback"
        stage = Stage(cloud, mailbox, folder, url, list(deaths), afresh)
        try:
            yield stage
        finally:
            stage.service.kill()


@cache
def _empty_store() -> bytes:
    """A store with its tables; to make them takes longer than all the rest."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "workflow.db"
        with closing(Database(f"sqlite:///{file}")) as database:
            upgrade(database)
        return file.read_bytes()

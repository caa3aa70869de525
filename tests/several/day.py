"""A day of several gates: tasks come, managers disagree, gates die, and all comes to its end."""

import random
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from approval.demo.cloud.sample import add_equipped
from approval.demo.mailbox.mail import Mail
from tests.conftest import MAX, MONA, form_of
from tests.mails import Received
from tests.several.gates import Gates

SIDE_BY_SIDE = 8
STATES = {"accept": "accepted", "decline": "declined"}
EFFECTS = {"accepted": "continue", "declined": "cancel"}
ERRANDS = ("consider", "ask", "release", "outcome", "note", "alert")


@dataclass
class Day:
    """What is done, and what was seen of it."""

    gates: Gates
    chance: random.Random
    limit: float  # seconds in which all has to come to its end
    tasks: list[str] = field(default_factory=list)
    shown: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[int] = field(default_factory=Counter)
    begun: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begun

    def run(self, count: int, pause: float, kills: int = sys.maxsize) -> None:
        """Let so many tasks go their way; a process dies about every `pause` seconds.

        No more than `kills` die: a machine that is busy starts them slower than they would die.
        """
        with self._dying(pause, kills), ThreadPoolExecutor(SIDE_BY_SIDE + 1) as people:
            announced = people.submit(self._announce_all, count)
            list(people.map(self._press, self._answers(count)))
            announced.result()
        self._wait_until(self._rests)

    def _announce_all(self, count: int) -> None:
        while len(self.tasks) < count:
            self._announce(min(self.chance.randint(1, 5), count - len(self.tasks)))

    def _announce(self, count: int) -> None:
        """Deploy machines as one operation, and announce it until somebody has heard."""
        cloud = self.gates.cloud
        with cloud.world.lock:
            appliance = cloud.world.add_appliance(cloud.world.datacenters[3], "Fresh")
            for number in range(count):
                add_equipped(cloud.world, appliance, cloud.world.users[1], f"fresh-{number}")
        tasks = cloud.deploy_appliance(appliance.id)
        body = cloud.callback_body(tasks)
        answer = self._ask(lambda: requests.post(f"{self.gates.url}/callback", body, timeout=20))
        assert answer.status_code in (200, 202), answer.text
        self.tasks += tasks

    def _answers(self, count: int) -> Iterator[tuple[str, str]]:
        """What managers press, as the mails come in: each that is asked, and not the same."""
        read, pressed = 0, set[str]()
        while True:
            self._in_time()
            mails = self.gates.mailbox.messages[read:]
            read += len(mails)
            for task, link in (question for mail in mails for question in _questions(mail)):
                pressed.add(task)
                yield task, link
            if not mails:
                if len(pressed) == count and self._rests():
                    return
                time.sleep(0.02)

    def _press(self, choice: tuple[str, str]) -> None:
        task, link = choice
        path, fields = form_of(link)
        answer = self._ask(lambda: requests.post(path, fields, timeout=20))
        assert answer.status_code in (200, 410), answer.text
        self.statuses[answer.status_code] += 1
        if answer.status_code == 200:
            self.shown[task].append(path.rpartition("/")[2])

    def _ask(self, call: Callable[[], requests.Response]) -> requests.Response:
        """Once more, if nobody answered or the answer was to come again."""
        while True:
            self._in_time()
            try:
                answer = call()
            except requests.RequestException:
                time.sleep(0.1)
                continue
            if answer.status_code != 503:
                return answer
            self.statuses[503] += 1
            time.sleep(0.1)

    @contextmanager
    def _dying(self, pause: float, kills: int) -> Iterator[None]:
        over = threading.Event()

        def kill() -> None:
            for _ in range(kills):
                if over.wait(self.chance.uniform(pause / 2, 3 * pause / 2)):
                    return
                self.chance.choice(self.gates.processes).kill()

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            yield
        finally:
            over.set()
            killer.join()

    def _rests(self) -> bool:
        places = ", ".join("?" * len(ERRANDS))
        left = f"SELECT count(*) FROM jobs WHERE parked_at IS NULL AND kind IN ({places})"  # noqa: S608
        return self.gates.store.rows(left, *ERRANDS) == [(0,)]

    def _wait_until(self, found: Callable[[], bool]) -> None:
        while not found():
            self._in_time()
            time.sleep(0.1)

    def _in_time(self) -> None:
        if self.seconds > self.limit:
            raise TimeoutError(f"it did not come to its end within {self.limit:.0f} s")

    def problems(self) -> Iterator[str]:
        """What is not as it must be."""
        rows = self.gates.store.rows
        states = {
            task: (state, delivery, decided)
            for task, state, delivery, decided in rows(
                "SELECT t.platform_task_id, t.state, t.delivery, count(e.id) FROM tasks t"
                " LEFT JOIN events e ON e.task_id = t.id AND e.kind IN ('accepted', 'declined')"
                " GROUP BY t.id"
            )
        }
        yield from (f"forgotten: {task}" for task in self.tasks if task not in states)
        told = self._told()
        for task, (state, delivery, decided) in states.items():
            if delivery != "delivered" or decided != 1:
                yield f"{task} is {state}, {delivery}, and was decided {decided} times"
            if told[task] != {EFFECTS.get(state)}:
                yield f"{task} is {state}, and the platform was told {told[task]}"
            if len(self.shown[task]) > 1 or any(STATES[s] != state for s in self.shown[task]):
                yield f"{task} is {state}, and was shown as {self.shown[task]}"
            if self.gates.cloud.task_state(task) == "QUEUEING":
                yield f"{task} is still held"
        [(votes,)] = rows("SELECT count(*) FROM votes")
        if votes != len(states):
            yield f"{votes} votes for {len(states)} tasks"
        for process in self.gates.processes:
            if b"Traceback" in process.log.read_bytes():
                yield f"{process.log.name} holds a traceback"

    def _told(self) -> dict[str, set[str]]:
        """What took effect on the platform."""
        told: dict[str, set[str]] = defaultdict(set)
        for call in self.gates.cloud.calls:
            if call.method == "POST" and call.status is not None and call.status < 300:
                task, _, choice = call.path.split("/")[-3:]
                told[task].add(choice)
        return told

    @property
    def repeated(self) -> int:
        """How many calls to the platform and mails came more than once."""
        posts = [c.headers["Idempotency-Key"] for c in self.gates.cloud.calls if c.method == "POST"]
        ids = [str(mail.message["Message-ID"]) for mail in self.gates.mailbox.messages]
        return len(posts) - len(set(posts)) + len(ids) - len(set(ids))


def _questions(mail: Mail) -> Iterator[tuple[str, str]]:
    """The tasks that a mail asks about, each with the link that its reader follows."""
    [to] = mail.recipients
    if to not in (MONA, MAX) or mail.subject.startswith("Re:"):
        return
    action = "accept" if to == MONA else "decline"
    for link in dict.fromkeys(Received(to, mail.message).links):
        path, fields = form_of(link)
        if path.endswith(f"/{action}"):
            yield fields["task"], link

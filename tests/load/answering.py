"""Those who get the mails: managers, who open pages and press buttons, and their scanners."""

import random
import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from approval.model import Action
from tests.conftest import MONA, form_of
from tests.load.ledger import Ledger
from tests.load.post import Letter

OPEN = (200, 410)  # 410: it is decided already
SCANNED = 0.2  # of the mails
OPENED_FIRST, BOTH = 0.5, 0.5  # how often a page is opened before the press; how often Max, too
SCANS = ("HEAD", "GET", "OPTIONS")
ACTIONS = tuple(Action)


class Managers:
    """Decide what they are asked. Two who race press both buttons, all four at the same time.

    `shown` is what pages said was decided, by task.
    """

    def __init__(self, ledger: Ledger, do: Callable[..., None]) -> None:
        self.shown: dict[str, set[Action]] = defaultdict(set)
        self._ledger = ledger
        self._do = do
        self._lock = threading.Lock()
        self._first: dict[str, Letter] = {}  # of those who race, until the other one's comes

    def read(self, letter: Letter) -> None:
        """Somebody got a letter."""
        if not letter.tasks:
            return
        chance = random.Random(letter.id)  # noqa: S311 - not a secret
        if chance.random() < SCANNED:
            self._do(lambda: self._scan(letter))
        manner = random.Random(letter.request).choice(MANNERS)  # noqa: S311 - the same for both
        self._do(lambda: manner(self, letter, chance))

    def _scan(self, letter: Letter) -> None:
        for link in letter.links:
            for method in SCANS:
                self._ledger.ask("scanners", method, link, OPEN)

    def _each(self, letter: Letter, chance: random.Random) -> None:
        """Decide task by task."""
        if letter.to == MONA or chance.random() < BOTH:
            for task in letter.tasks:
                action = chance.choice(ACTIONS)
                self._decide(letter.link(action, task=task), action, (task,), chance)

    def _together(self, letter: Letter, chance: random.Random) -> None:
        """Decide all at once."""
        action = chance.choice(ACTIONS)
        link = letter.link("multiple", action=action)
        if link is None:
            self._each(letter, chance)
        elif letter.to == MONA or chance.random() < BOTH:
            self._decide(link, action, letter.tasks, chance)

    def _race(self, letter: Letter, chance: random.Random) -> None:
        """Decide at the same moment as the other one."""
        with self._lock:
            other = self._first.setdefault(letter.request, letter)
        if other.to == letter.to:
            return
        for task in letter.tasks:
            presses = [(one, action) for one in (letter, other) for action in ACTIONS]
            with ThreadPoolExecutor(len(presses)) as people:
                list(people.map(lambda press, task=task: self._dash(task, *press), presses))

    def _dash(self, task: str, letter: Letter, action: Action) -> None:
        link = letter.link(action, task=task)
        assert link is not None
        self._press(link, action, (task,), "racing")

    def _decide(
        self, link: str | None, action: Action, tasks: tuple[str, ...], chance: random.Random
    ) -> None:
        assert link is not None
        if chance.random() < OPENED_FIRST:
            self._ledger.ask("pages", "GET", link, OPEN)
        self._press(link, action, tasks, "größe <b>Ω</b>" if chance.random() < 0.5 else "")

    def _press(self, link: str, action: Action, tasks: tuple[str, ...], comment: str) -> None:
        path, fields = form_of(link)
        fields["comment"] = comment
        answer = self._ledger.ask("presses", "POST", path, OPEN, data=fields)
        if answer is not None and answer.status_code == 200:
            with self._lock:
                for task in tasks:
                    self.shown[task].add(action)


MANNERS = (Managers._each, Managers._together, Managers._race)

"""The mail server of a run: it can close for a while, and knows all letters that it ever took."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from approval.demo.mailbox import Mailbox
from approval.demo.mailbox.mail import Mail
from tests.crash.service import free_port
from tests.mails import Received

LOOK = 0.05  # seconds between two looks into the mailbox
KEPT = 1000  # mails; more do not come between two looks


@dataclass(frozen=True)
class Letter:
    """What is kept of a mail. One that asks has links that accept and decline `tasks`."""

    to: str
    id: str
    links: tuple[str, ...]
    tasks: tuple[str, ...]

    @property
    def request(self) -> str:
        """What it is about, the same in the mails to all approvers."""
        link = self.link("review")
        return parse_qs(urlsplit(link).query)["request"][0] if link else ""

    def link(self, route: str, **query: str) -> str | None:
        """The link to a route with these values, if there is one."""
        for link in self.links:
            parts = urlsplit(link)
            found = parse_qs(parts.query)
            if parts.path == f"/{route}" and all(found.get(k) == [v] for k, v in query.items()):
                return link
        return None


class Post:
    """Hands each letter to `deliver` as it comes in."""

    def __init__(self, deliver: Callable[[Letter], None]) -> None:
        self.letters: list[Letter] = []
        self.port = free_port()
        self.mailbox = Mailbox(smtp_port=self.port, keep=KEPT)
        self._deliver = deliver
        self._read = 0
        self._reading = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def shut(self) -> None:
        """Refuse connections."""
        self.mailbox.close()
        self._look()

    def open(self) -> None:
        """Take mails again, at the same port."""
        with self._reading:
            self.mailbox, self._read = Mailbox(smtp_port=self.port, keep=KEPT), 0

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self.mailbox.close()

    def _watch(self) -> None:
        while not self._over.wait(LOOK):
            self._look()

    def _look(self) -> None:
        with self._reading:
            new = [mail for mail in self.mailbox.messages if mail.number > self._read]
            assert not new or new[0].number == self._read + 1, "mails were lost between two looks"
            for mail in new:
                self._read = mail.number
                letter = _letter(mail)
                self.letters.append(letter)
                self._deliver(letter)


def _letter(mail: Mail) -> Letter:
    received = Received(mail.recipients[0], mail.message)
    links = tuple(dict.fromkeys(received.links))
    asked = [parse_qs(urlsplit(link).query) for link in links if urlsplit(link).path == "/accept"]
    return Letter(
        received.to,
        str(received.message["Message-ID"]),
        links,
        tuple(dict.fromkeys(query["task"][0] for query in asked)),
    )

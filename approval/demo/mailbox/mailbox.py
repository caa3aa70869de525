"""The mailbox as a whole."""

import ssl
import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Self

from flask import Flask

from approval.demo.mailbox.mail import Mail
from approval.demo.mailbox.page import create_page
from approval.demo.mailbox.post import Intake, PostOffice, Reply
from approval.demo.serving import Server


class Mailbox:
    """Runs from the moment it is made until it is closed; best used in a `with` block.

    `replies` tells which recipients are refused, and with which answer. `delay` is how many
    seconds it takes to accept a mail. Only the last `keep` mails are kept; `count` counts all.
    With `login` (user and password) clients must log in; `tls` and `starttls` are what is
    spoken from the start, or required before anything else.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        smtp_port: int = 0,
        web_port: int = 0,
        keep: int = 10_000,
        replies: Mapping[str, str] | Reply | None = None,
        delay: float = 0.0,
        login: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
    ) -> None:
        self.count = 0
        self.replies: Mapping[str, str] | Reply = replies or {}
        self._mails: deque[Mail] = deque(maxlen=keep)
        self._changed = threading.Condition()
        self._intake = Intake(self._keep, self._reply, delay)
        self._post = PostOffice(
            self._intake, host=host, port=smtp_port, login=login, tls=tls, starttls=starttls
        )
        self._post.start()
        self.smtp_port: int = self._post.port
        app = Flask("approval.demo", static_folder=None)
        app.register_blueprint(create_page(self))
        self._server = Server(app, host=host, port=web_port, threads=4)
        self.url = self._server.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._post.stop()
        self._server.close()

    @property
    def messages(self) -> list[Mail]:
        """What has come in, the oldest first."""
        with self._changed:
            return list(self._mails)

    @property
    def delay(self) -> float:
        return self._intake.delay

    @delay.setter
    def delay(self, seconds: float) -> None:
        self._intake.delay = seconds

    def clear(self) -> None:
        with self._changed:
            self._mails.clear()

    def wait_for(self, wanted: int | Callable[[Mail], bool], timeout: float = 60.0) -> list[Mail]:
        """Wait for so many mails, or for one that is wanted; return those there are.

        Raises TimeoutError.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._found(wanted), timeout):
                subjects = [f"{', '.join(mail.recipients)}: {mail.subject}" for mail in self._mails]
                raise TimeoutError(f"the mail did not come; there are {subjects}")
            return self._found(wanted)

    def _found(self, wanted: int | Callable[[Mail], bool]) -> list[Mail]:
        if isinstance(wanted, int):
            return list(self._mails) if len(self._mails) >= wanted else []
        return [mail for mail in self._mails if wanted(mail)]

    def _keep(self, sender: str, recipients: tuple[str, ...], content: bytes) -> None:
        with self._changed:
            self.count += 1
            self._mails.append(
                Mail(
                    number=self.count,
                    sender=sender,
                    recipients=recipients,
                    content=content,
                    at=datetime.now(UTC),
                )
            )
            self._changed.notify_all()

    def _reply(self, address: str) -> str | None:
        return self.replies(address) if callable(self.replies) else self.replies.get(address)

"""A mail as it came in."""

from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property


@dataclass(frozen=True, kw_only=True)
class Mail:
    """`number` counts from 1 in the order of arrival; it is parsed only if somebody looks."""

    number: int
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    at: datetime

    @cached_property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.default)

    @property
    def subject(self) -> str:
        return str(self.message.get("Subject", ""))

    @cached_property
    def html(self) -> str | None:
        return self._text("html")

    @cached_property
    def text(self) -> str | None:
        return self._text("plain")

    def _text(self, kind: str) -> str | None:
        part = self.message.get_body((kind,))
        return part.get_content().replace("\r\n", "\n") if part else None

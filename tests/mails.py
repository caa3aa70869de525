"""Mails as people read them."""

import html
import re
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import parse_qs, urlsplit

from approval.demo.mailbox import Mailbox


@dataclass(frozen=True)
class Received:
    """One mail in somebody's inbox."""

    to: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return self.message.get_body(["plain"]).get_content()

    @property
    def html(self) -> str:
        return self.message.get_body(["html"]).get_content()

    @property
    def links(self) -> list[str]:
        """All links of the HTML part."""
        return [html.unescape(url) for url in re.findall(r'href="(http[^"]+)"', self.html)]

    def link(self, route: str, **query: str) -> str:
        """The one link to a route, and to a task if one is named."""
        wanted = [
            url
            for url in dict.fromkeys(self.links)
            if urlsplit(url).path == f"/{route}"
            and all(parse_qs(urlsplit(url).query).get(k) == [v] for k, v in query.items())
        ]
        assert len(wanted) == 1, f"{len(wanted)} links to {route} {query} in {self.subject}"
        return wanted[0]


class Mails:
    """What has come in."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    def to(self, address: str, containing: str = "") -> Received:
        """The first mail to an address with this in its subject; waits for it."""
        found = self.mailbox.wait_for(
            lambda mail: address in mail.recipients and containing in str(mail.message["Subject"])
        )
        return Received(address, found[0].message)

    def about(self, task: str, address: str) -> Received:
        """The first mail to an address that holds links to a task; waits for it."""
        found = self.mailbox.wait_for(
            lambda mail: address in mail.recipients and task in (mail.text or "")
        )
        return Received(address, found[0].message)

    def all(self) -> list[Received]:
        return [Received(mail.recipients[0], mail.message) for mail in self.mailbox.messages]

    def subjects(self) -> list[tuple[str, str]]:
        return [(mail.to, mail.subject) for mail in self.all()]

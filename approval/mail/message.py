"""Messages: headers that cannot be forged by what stands in a name, two parts, one recipient."""

import quopri
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address, HeaderRegistry
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from typing import Any

HEADER_LENGTH = 200
SHORT_NAME = 20  # with a usual address this fits into a line
QUOTED = re.compile(r"[^\w\s!#$%&'*+/^`{|}~-]")
INVISIBLE = {"Cc", "Cf", "Zl", "Zp", "Cs"}


class _Headers(HeaderRegistry):
    """Makes the class of each kind of header once; the library makes one for every header."""

    @cache  # noqa: B019 - there is one of these, as long as the process
    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(name)


POLICY = policy.SMTP.clone(header_factory=_Headers())


def _parsed(headers: Mapping[str, str]) -> Mapping[str, Any]:
    """Headers as a message keeps them, so that what is always the same is parsed once."""
    return {name: POLICY.header_factory(name, value) for name, value in headers.items()}


ALWAYS = _parsed(
    {
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "MIME-Version": "1.0",
        # What is quoted-printable never holds "=_".
        "Content-Type": 'multipart/alternative; boundary="=_text_and_html"',
    }
)
OF_PART = {
    kind: _parsed(
        {
            "Content-Type": f'text/{kind}; charset="utf-8"',
            "Content-Transfer-Encoding": "quoted-printable",
        }
    )
    for kind in ("plain", "html")
}


@dataclass(frozen=True)
class Sender:
    """Who the gate's mails are from, and the address that answers to them go to if another."""

    name: str
    address: str
    reply_to: str | None = None

    @property
    def domain(self) -> str:
        """The domain in which Message-IDs are made."""
        return self.address.rpartition("@")[2]


def clean_header(text: str) -> str:
    """The text as one harmless header line.

    Python 3.11 takes `=?utf-8?q?a=0ABcc=3A…?=` in a subject for an encoded word and writes
    the header that hides in it (CVE-2024-6923), so `=?` is broken up.
    """
    plain = text
    if not text.isprintable():  # as nearly all is, and then it holds nothing invisible
        plain = "".join(" " if unicodedata.category(c) in INVISIBLE else c for c in text)
    return " ".join(plain.replace("=?", "= ?").split())[:HEADER_LENGTH]


def clean_name(text: str) -> str:
    """The text as a name before an address.

    Python 3.11 folds a long name that has to be quoted so that it is not read back as one, so
    what would have to be quoted is left out of long names, and quotes of all.
    """
    name = clean_header(text).replace('"', "'").replace("\\", "/")
    if len(name) > SHORT_NAME:
        name = " ".join(QUOTED.sub(" ", name).split())
    return name


def message_id(key: str, sender: Sender) -> str:
    """The Message-ID of the mail that a job sends; the same whenever it is sent again."""
    return f"<{key}@{sender.domain}>"


def compose(
    sender: Sender,
    recipient: tuple[str, str],
    subject: str,
    text: str,
    html: str,
    *,
    key: str,
    thread: str | None,
    now: datetime,
) -> EmailMessage:
    """Make a message to one (name, address); `thread` is the Message-ID that it follows."""
    message = EmailMessage(policy=POLICY)
    message["From"] = _address(sender.name, sender.address)
    if sender.reply_to:
        message["Reply-To"] = _address("", sender.reply_to)
    message["To"] = _address(*recipient)
    message["Subject"] = clean_header(subject)
    message["Date"] = format_datetime(now.astimezone(UTC))
    message["Message-ID"] = message_id(key, sender)
    if thread:
        message["In-Reply-To"] = message["References"] = thread
    message["List-Id"] = f"<approval.{sender.domain}>"  # for filters
    _add(message, ALWAYS)
    message.attach(_part("plain", text))
    message.attach(_part("html", html))
    return message


def _part(kind: str, text: str) -> EmailMessage:
    """A text part. The library's own `set_content` takes five times as long to encode it."""
    part = EmailMessage(policy=POLICY)
    _add(part, OF_PART[kind])
    part.set_payload(quopri.encodestring(text.encode()).decode("ascii"))
    return part


def _add(message: EmailMessage, headers: Mapping[str, Any]) -> None:
    for name, value in headers.items():
        message[name] = value


def _address(name: str, address: str) -> Address:
    return Address(display_name=clean_name(name), addr_spec=address)

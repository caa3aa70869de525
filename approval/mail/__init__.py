"""Mail: make a message, hand it to a mail server."""

from email.message import EmailMessage
from typing import Protocol

from approval.failures import Failure


class MailError(Failure):
    """Raised if the mail server did not take a message."""


class RecipientRefused(MailError):
    """Raised if the mail server refuses this recipient for good."""


class Transport(Protocol):
    """Takes messages to one recipient each; called from several threads."""

    def send(self, message: EmailMessage) -> None:
        """Send a message. Raises MailError."""

    def close(self) -> None:
        """Close idle connections."""

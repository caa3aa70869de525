"""A mail server that keeps what it is sent, and a page to read it."""

from approval.demo.mailbox.mail import Mail
from approval.demo.mailbox.mailbox import Mailbox

__all__ = ["Mail", "Mailbox"]

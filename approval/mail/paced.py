"""A transport that spares people: so many mails an hour to each, the rest later."""

from email.message import EmailMessage

from approval.allowance import Allowance
from approval.clock import Clock
from approval.mail import MailError, Transport


class Paced:
    """A transport that hands on to another one."""

    def __init__(self, transport: Transport, allowance: Allowance, clock: Clock) -> None:
        self._transport = transport
        self._allowance = allowance
        self._clock = clock

    def send(self, message: EmailMessage) -> None:
        """Send a message, or say when to come again. Raises MailError."""
        address = str(message["To"].addresses[0].addr_spec).lower()
        wait = self._allowance.take(address, self._clock())
        if wait:
            text = f"{address} got as many mails in an hour as [mail] most_per_hour allows"
            raise MailError(text, retry_after=wait, alert=True)
        try:
            self._transport.send(message)
        except BaseException:
            self._allowance.give_back(address, self._clock())
            raise

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()

"""SMTP: connections that are checked, kept for the next message, and never wait for ever."""

import smtplib
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path

from approval.deadline import Socket, TlsSocket, connect, within
from approval.mail import MailError, RecipientRefused
from approval.mail.brief import Brief, BriefTls

MESSAGE = 5  # times the timeout, for a whole message; a timeout only limits each silence
GOODBYE = 5.0  # seconds
IDLE = 20.0  # seconds a connection is kept; servers hang up after a few minutes at the latest
MESSAGES = 100  # per connection; many servers limit it
EPHEMERAL = 500  # SMTP reply codes below are transient


class Security(StrEnum):
    """How the connection to the mail server is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where and how to reach the mail server; `timeout` in seconds for each step."""

    host: str
    port: int
    security: Security = Security.NONE
    username: str | None = None
    password: str | None = None
    ca_file: Path | None = None
    timeout: float = 30


@dataclass
class _Connection:
    client: smtplib.SMTP
    used: float
    messages: int = 0


class Smtp:
    """Hands messages to a mail server. Connections are reused, one thread at a time each."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()

    def send(self, message: EmailMessage) -> None:
        """Send a message to its one recipient. Raises MailError."""
        with self.conversation() as client:
            try:
                client.send_message(message)
            except smtplib.SMTPRecipientsRefused as error:
                ((code, reason),) = error.recipients.values()
                refusal = f"{message['To']} was refused: {code} {words(reason)}"
                if code >= EPHEMERAL:
                    raise RecipientRefused(refusal, permanent=True) from error
                raise MailError(refusal) from error

    def close(self) -> None:
        """Close idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            _quit(connection.client)

    @contextmanager
    def conversation(self) -> Iterator[smtplib.SMTP]:
        """Lend a connection; it is kept only if the conversation ended well. Raises MailError."""
        with _translated(self.server), within(MESSAGE * self.server.timeout):
            connection = self._take() or _Connection(_connect(self.server), time.monotonic())
            try:
                yield connection.client
            except (smtplib.SMTPRecipientsRefused, RecipientRefused, MailError):
                self._give_back(connection)  # smtplib has sent RSET
                raise
            except BaseException:
                connection.client.close()
                raise
            self._give_back(connection)

    def _take(self) -> _Connection | None:
        """An idle connection that still answers."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return None
            if time.monotonic() - connection.used < IDLE and _answers(connection.client):
                return connection
            connection.client.close()

    def _give_back(self, connection: _Connection) -> None:
        connection.messages += 1
        connection.used = time.monotonic()
        if connection.messages >= MESSAGES:
            _quit(connection.client)
            return
        with self._lock:
            self._idle.append(connection)


class _Punctual(Brief):
    """A client whose sockets keep the deadline."""

    def _get_socket(self, host: str, port: int, timeout: float) -> Socket:
        return connect(host, port, timeout)


class _PunctualTls(BriefTls, _Punctual):
    """The same under TLS from the start."""


def _connect(server: Server) -> smtplib.SMTP:
    """Connect, protect, log in: in this order, and nothing less than was asked for."""
    context = ssl.create_default_context(cafile=server.ca_file)
    context.sslsocket_class = TlsSocket
    client: smtplib.SMTP
    if server.security is Security.TLS:
        client = _PunctualTls(server.host, server.port, timeout=server.timeout, context=context)
    else:
        client = _Punctual(server.host, server.port, timeout=server.timeout)
    try:
        if server.security is Security.STARTTLS:
            client.starttls(context=context)
        if server.username is not None:
            client.login(server.username, server.password or "")
    except BaseException:
        client.close()
        raise
    return client


def _answers(client: smtplib.SMTP) -> bool:
    try:
        return client.noop()[0] == 250
    except (smtplib.SMTPException, OSError):
        return False


def _quit(client: smtplib.SMTP) -> None:
    try:
        with within(GOODBYE):
            client.quit()
    except (smtplib.SMTPException, OSError):
        client.close()


@contextmanager
def _translated(server: Server) -> Iterator[None]:
    """Turn what smtplib raises into MailError; login and TLS trouble is the operator's to mend."""
    place = f"the mail server {server.host}:{server.port}"
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise MailError(f"{place} refused the login: {error.smtp_code}", alert=True) from error
    except smtplib.SMTPNotSupportedError as error:
        raise MailError(f"{place}: {error}", alert=True) from error
    except ssl.SSLError as error:
        raise MailError(f"{place} could not prove who it is: {error}", alert=True) from error
    except smtplib.SMTPSenderRefused as error:  # our address or no login: settings, not the mail
        answer = f"{place} refused us as sender: {error.smtp_code} {words(error.smtp_error)}"
        raise MailError(answer, alert=True) from error
    except smtplib.SMTPResponseException as error:
        answer = f"{place} answered {error.smtp_code} {words(error.smtp_error)}"
        for_good = error.smtp_code >= EPHEMERAL
        if isinstance(error, smtplib.SMTPDataError):
            raise MailError(answer, permanent=for_good) from error
        raise MailError(answer, alert=for_good) from error  # not about this message
    except (smtplib.SMTPException, OSError) as error:
        raise MailError(f"{place} cannot be reached: {error or type(error).__name__}") from error


def words(reply: bytes | str) -> str:
    """A server's reply as one short line."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return " ".join(text.split())[:200]

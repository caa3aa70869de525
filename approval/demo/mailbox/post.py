"""The SMTP side of the mailbox."""

import asyncio
import ssl
import weakref
from collections.abc import Callable
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Keep = Callable[[str, tuple[str, ...], bytes], None]
Reply = Callable[[str], str | None]


class Intake:
    """Takes mails in; `reply` may refuse a recipient with an answer such as "550 no such user"."""

    def __init__(self, keep: Keep, reply: Reply, delay: float) -> None:
        self._keep = keep
        self._reply = reply
        self.delay = delay

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = self._reply(address)
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.delay:
            await asyncio.sleep(self.delay)
        content = envelope.content or b""
        content = content.encode() if isinstance(content, str) else content
        self._keep(envelope.mail_from or "", tuple(envelope.rcpt_tos), content)
        return "250 OK"


class PostOffice(Controller):
    """aiosmtpd's controller, able to take any free port and to end with clients connected."""

    def __init__(
        self,
        intake: Intake,
        *,
        host: str,
        port: int,
        login: tuple[str, str] | None,
        tls: ssl.SSLContext | None,
        starttls: ssl.SSLContext | None,
    ) -> None:
        self._open: weakref.WeakSet[SMTP] = weakref.WeakSet()
        super().__init__(
            intake,
            hostname=host,
            port=port,
            ssl_context=tls,
            server_hostname="mailbox.example",  # otherwise it asks the name service
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=_checker(login),
            auth_required=login is not None,
            auth_require_tls=starttls is not None,
        )

    def factory(self) -> SMTP:
        connection: SMTP = super().factory()  # type: ignore[no-untyped-call]  # has no types
        self._open.add(connection)
        return connection

    def _trigger_server(self) -> None:
        # Called once the server listens, and about to connect to the port that was asked for.
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # has no types

    def stop(self, no_assert: bool = False) -> None:
        asyncio.run_coroutine_threadsafe(self._hang_up(), self.loop).result()
        super().stop(no_assert)

    async def _hang_up(self) -> None:
        """Close every connection, and give the loop a turn to see it done."""
        for connection in list(self._open):
            transport: Any = connection.transport
            if transport:
                transport.abort()
        await asyncio.sleep(0)


def _checker(login: tuple[str, str] | None) -> Callable[..., AuthResult]:
    def check(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == login, handled=False)

    return check

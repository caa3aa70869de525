"""Whether the mail server takes mail from us, and which setting is wrong if not."""

import smtplib
import socket
import ssl

from approval.findings import Finding, ok, problem, warning
from approval.mail import MailError
from approval.mail.smtp import EPHEMERAL, Security, Smtp, words

LOGIN_FIRST = 530
SENDER = "name an address that it lets this gate use"
NO_CERTIFICATES = {"NO_CERTIFICATE_OR_CRL_FOUND", "PEM_LIB"}  # in ca_file
BAD_SENDERS = ("5.1.7", "5.1.8", "sender")  # servers judge the sender when they hear the recipient


def check(smtp: Smtp, sender: str, operator: str | None) -> list[Finding]:
    """Connect, log in, and say who would write to whom; no message is sent. Never raises."""
    server = smtp.server
    place = f"{server.host}:{server.port}"
    try:
        with smtp.conversation() as client:
            client.ehlo_or_helo_if_needed()
            code, reply = client.mail(sender)
            if code >= 400:
                raise smtplib.SMTPSenderRefused(code, reply, sender)
            answer = client.rcpt(operator) if operator else (code, reply)
            client.rset()
    except MailError as error:
        return [problem(_explain(error, server.security))]
    if operator and answer[0] >= 400:
        return [_refused(*answer, sender, operator)]
    return [ok(f"{place} takes mail from {sender}{f' to {operator}' if operator else ''}")]


def _refused(code: int, reply: bytes, sender: str, operator: str) -> Finding:
    said = f"{code} {words(reply)}"
    if code < EPHEMERAL:
        return warning(f"operator: the mail server puts off mail to {operator}: {said}")
    if any(sign in said.lower() for sign in BAD_SENDERS):
        return problem(f"from: the mail server refuses mail from {sender}: {said}; {SENDER}")
    return problem(
        f"operator: the mail server refuses mail to {operator}: {said}; name somebody who has "
        "a mailbox there, or log in with username and password if it wants that"
    )


def _explain(error: MailError, security: Security) -> str:
    """The key that is most likely wrong, what happened, and what to do."""
    cause = error.__cause__
    if isinstance(cause, smtplib.SMTPAuthenticationError):
        return f"username / password: {error}"
    if isinstance(cause, smtplib.SMTPSenderRefused):
        if cause.smtp_code == LOGIN_FIRST:
            return f"username: {error}; it wants a login, so set username and password"
        if cause.smtp_code < EPHEMERAL:
            return f"host: {error}; it is not ready for mail, so try again later"
        return f"from: {error}; {SENDER}"
    if isinstance(cause, smtplib.SMTPNotSupportedError) and "STARTTLS" in str(cause):
        return f"security: {str(error).rstrip('.')}; use tls if it is a port for that, mostly 465"
    if isinstance(cause, smtplib.SMTPNotSupportedError) or "authentication" in str(cause):
        return f"username: {error}; it may want security = starttls first, or no login at all"
    if isinstance(cause, ssl.SSLError):
        return _unproven(cause, error)
    if isinstance(cause, socket.gaierror):
        return f"host: {error}; is the name right?"
    if isinstance(cause, TimeoutError | smtplib.SMTPServerDisconnected):
        tls = "" if security is Security.TLS else "; security = tls if this is a port for that"
        return f"host / port: {error}; is there a mail server?{tls}"
    return f"host / port: {error}"


def _unproven(cause: ssl.SSLError, error: MailError) -> str:
    if not isinstance(cause, ssl.SSLCertVerificationError) and cause.reason not in NO_CERTIFICATES:
        return f"security: {error}; this port may want starttls, or none"
    if "mismatch" in str(cause):
        return f"host: {error}; use the name in its certificate"
    return f"ca_file: {error}; name a file (PEM) with the certificate of who signed it"

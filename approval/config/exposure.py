"""What must not stand open to a network, and what may, but should be known."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from approval.config.sections import Links, Server
from approval.config.values import CURE
from approval.findings import Finding, problem, warning
from approval.section import Rules, is_loopback


def rules(server: Server) -> Rules:
    """Who can reach what."""
    return (
        _callers_from_anywhere(server),
        _proxies(server),
        _known_callers(server),
        _known_address(server),
        _secrets_apart(server),
    )


def _bound_here(server: Server) -> bool:
    """Whether only this machine can reach it itself."""
    return is_loopback(server.bind_address)


def _reached_here(server: Server) -> bool:
    """Whether links lead to this machine alone."""
    return is_loopback(urlsplit(server.address).hostname or "")


def _callers_from_anywhere(server: Server) -> Iterator[Finding]:
    if not server.callback_from and not (_reached_here(server) and _bound_here(server)):
        yield warning(
            "callback_from is not set: callbacks are taken from any address; name those of the "
            "platform, as 10.1.2.3"
        )


def _proxies(server: Server) -> Iterator[Finding]:
    if _bound_here(server) and not server.trusted_proxies and not _reached_here(server):
        yield warning(
            "trusted_proxies = 0, though only a proxy on this machine can lead people here: its "
            "address counts for everybody, in callback_from, in the limits and in the log; set it "
            "to 1"
        )
    if server.trusted_proxies and not _bound_here(server):
        yield warning(
            f"trusted_proxies = {server.trusted_proxies}, and bind_address is open to a network: "
            "whoever gets past the proxies can pretend any address; see to it that only the "
            "proxies can reach the port"
        )


def _known_callers(server: Server) -> Iterator[Finding]:
    if server.knows_callers:
        return
    if not _bound_here(server):
        yield problem(
            "callback_secret: is required unless bind_address is a loopback address, "
            f"else anybody who reaches the gate can have managers mailed; {CURE}"
        )
    elif not _reached_here(server):
        yield warning(
            "callback_secret is not set: whoever reaches the public URL can have managers "
            f"mailed; {CURE}"
        )


def _known_address(server: Server) -> Iterator[Finding]:
    if not (server.public_url or server.hostname) and not _bound_here(server):
        yield problem(
            "public_url: is required unless bind_address is a loopback address; "
            "write the address under which people reach the gate, as https://gate.example.com"
        )


def _secrets_apart(server: Server) -> Iterator[Finding]:
    keys = {key.get_secret_value() for key in server.secret_key}
    if keys & {secret.get_secret_value() for secret in server.callback_secret}:
        yield problem(
            f"callback_secret: is a secret_key too, so the platform could sign links; {CURE}"
        )


def links_in_clear_text(server: Server, links: Links) -> Iterator[Finding]:
    """Links decide, so whoever reads them can."""
    url = urlsplit(server.address)
    if url.scheme != "http" or _reached_here(server):
        return
    if server.public_url and not links.plain_http:
        yield problem(
            "public_url: links decide, so they must not travel in clear text; "
            "use https://, or allow it with [links] plain_http = yes"
        )
    else:
        yield warning(
            f"public_url: links lead to {url.scheme}://{url.netloc} and travel in clear text; "
            "put the gate behind HTTPS and name its address here"
        )

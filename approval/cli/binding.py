"""The address on which the gate listens: whether it can, and what to change if not."""

import errno
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import urllib3
from urllib3.exceptions import HTTPError

from approval.config import Config

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 # nosec B104 - not bound, compared
TIMEOUT = 5.0  # seconds for an answer of whoever listens there


class NotBound(Exception):
    """Raised if the gate cannot listen as [server] says; `taken`: somebody else does."""

    def __init__(self, text: str, *, taken: bool = False) -> None:
        super().__init__(text)
        self.taken = taken


def try_out(config: Config) -> None:
    """Bind as the gate does, and let go. Raises NotBound."""
    server = config.server
    with told(config):
        found = socket.getaddrinfo(
            server.bind_address,
            server.bind_port,
            type=socket.SOCK_STREAM,
            proto=socket.IPPROTO_TCP,
            flags=socket.AI_PASSIVE,
        )
        for family, kind, protocol, _, place in found:
            with closing(socket.socket(family, kind, protocol)) as one:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                one.bind(place)


@contextmanager
def told(config: Config) -> Iterator[None]:
    """Say in words why the gate cannot listen. Raises NotBound."""
    try:
        yield
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise NotBound(_why(config, error), taken=taken) from error


def _why(config: Config, error: OSError) -> str:
    address, port = config.server.bind_address, config.server.bind_port
    if error.errno == errno.EADDRINUSE:
        return f"bind_port: {_shown(address, port)} is in use; end what uses it or name another"
    if error.errno == errno.EACCES:
        return (
            f"bind_port: this account may not listen on port {port}; name one from 1024 on, "
            "with a reverse proxy before it"
        )
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return (
            f"bind_address: {address} is no address of this machine; name one that it has, "
            "as 127.0.0.1, or 0.0.0.0 for all"
        )
    return f"bind_address / bind_port: {_shown(address, port)} cannot be used: {error.strerror}"


def gate_answers(config: Config) -> bool:
    """Whether it is a gate that listens there."""
    address = config.server.bind_address
    place = _shown(EVERYWHERE.get(address, address), config.server.bind_port)
    with urllib3.PoolManager() as pools:
        try:
            answer = pools.urlopen(
                "GET", f"http://{place}/healthz", timeout=TIMEOUT, retries=False
            ).json()
        except (HTTPError, ValueError):
            return False
    return bool(answer == {"alive": True})


def _shown(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"

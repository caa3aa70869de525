"""A deadline for all that a thread does on its sockets.

A timeout only limits each silence: a server that drips a byte now and then holds whoever
listens for ever. So each wait on a socket of these also ends at the deadline of the work
that it is part of. The names of hosts are looked up by the system, in its own time.
"""

import math
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

Result = TypeVar("Result")
Given = ParamSpec("Given")

_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let what this thread begins here end in time, or in what is left if that is less."""
    token = _deadline.set(min(_deadline.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


class Socket(socket.socket):
    """A socket that keeps the deadline, in all that connecting, HTTP and SMTP do with it."""

    def connect(self, *args: Any) -> None:
        self._in_time(super().connect, *args)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        return self._in_time(super().recv_into, *args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        return self._in_time(super().send, *args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self._in_time(super().sendall, *args, **kwargs)

    def _in_time(
        self, wait: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
    ) -> Result:
        """Wait no longer than is left, if that is less than the timeout."""
        left, timeout = _deadline.get() - time.monotonic(), self.gettimeout()
        if left <= 0:
            raise TimeoutError("it took too long in all")
        if left == math.inf or (timeout is not None and timeout <= left):
            return wait(*args, **kwargs)
        self.settimeout(left)
        try:
            return wait(*args, **kwargs)
        finally:
            self.settimeout(timeout)


class TlsSocket(Socket, ssl.SSLSocket):
    """The same under TLS; give it to a context as its `sslsocket_class`."""

    def do_handshake(self, *args: Any, **kwargs: Any) -> None:
        self._in_time(super().do_handshake, *args, **kwargs)


def connect(host: str, port: int, timeout: float | None) -> Socket:
    """Connect to the first address of the host that answers. Raises OSError."""
    failure = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in _addresses(host, port):
        connected = Socket(family, kind, protocol)
        try:
            connected.settimeout(timeout)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected.connect(address)
        except OSError as error:
            connected.close()
            failure = error
        else:
            return connected
    raise failure


def _addresses(host: str, port: int) -> list[tuple[Any, ...]]:
    try:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except UnicodeError as error:
        raise OSError(f"{host[:80]!r} cannot be the name of a host") from error

"""A light load generator: keep-alive connections over plain sockets, one thread each."""

import socket
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Measured:
    """Times in milliseconds, and how many there were in a second."""

    rate: float
    median: float
    p99: float

    @classmethod
    def of(cls, seconds: float, times: Sequence[float]) -> Self:
        """From the duration and every single time, in seconds."""
        p99 = statistics.quantiles(times, n=100)[98]
        return cls(len(times) / seconds, statistics.median(times) * 1000, p99 * 1000)


class Connection:
    """One keep-alive connection to the gate."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = f"127.0.0.1:{port}"

    def post(self, path: str, body: bytes, kind: str = "application/xml") -> int:
        """Post; returns the status."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + body)
        return self._answer()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _answer(self) -> int:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, rest = data.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        while len(rest) < length:
            rest += self._more()
        return int(head.split()[1])

    def _more(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the gate hung up")
        return data


def hammer(ports: Sequence[int], bodies: Sequence[bytes], clients: int = 8) -> Measured:
    """Post all bodies to the callback, each client as fast as it is answered.

    Clients are dealt to several ports in turn, as by a balancer that costs nothing. A task may be
    known already: the gate's first round of reconciling takes in what nobody seems to announce.
    """
    waiting, lock = iter(bodies), threading.Lock()
    times: list[float] = []
    statuses: list[int] = []

    def client(port: int) -> None:
        connection = Connection(port)
        while True:
            with lock:
                body = next(waiting, None)
            if body is None:
                break
            started = time.perf_counter()
            statuses.append(connection.post("/callback", body))
            times.append(time.perf_counter() - started)
        connection.close()

    threads = [
        threading.Thread(target=client, args=(ports[number % len(ports)],))
        for number in range(clients)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if not {200, 202}.issuperset(statuses):
        raise RuntimeError(f"not every callback was answered 200 or 202: {set(statuses)}")
    return Measured.of(seconds, times)

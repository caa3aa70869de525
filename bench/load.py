"""A light load generator: keep-alive connections over plain sockets, one thread each."""

import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """Times of requests in milliseconds, and how many there were in a second."""

    rate: float
    median: float
    p99: float
    worst: float

    @classmethod
    def of(cls, seconds: float, times: list[float]) -> "Measured":
        """From the duration and every request's time in seconds."""
        return cls(
            len(times) / seconds,
            statistics.median(times) * 1000,
            statistics.quantiles(times, n=100)[98] * 1000,
            max(times) * 1000,
        )


class Connection:
    """One keep-alive connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._port = port

    def post(self, path: str, body: bytes, kind: str = "application/xml") -> int:
        """Post; returns the status."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + body)
        return self._answer()

    def _answer(self) -> int:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, rest = data.partition(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        while len(rest) < length:
            rest += self._more()
        return int(head.split()[1])

    def _more(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the gate hung up")
        return data

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def hammer(port: int, clients: int, bodies: Iterable[bytes], expected: int) -> Measured:
    """Post all bodies to the callback, each client as fast as it is answered."""
    waiting, lock, times = iter(bodies), threading.Lock(), []
    problems: list[int] = []

    def client() -> None:
        connection = Connection(port)
        mine = []
        while True:
            with lock:
                body = next(waiting, None)
            if body is None:
                break
            started = time.perf_counter()
            status = connection.post("/callback", body)
            mine.append(time.perf_counter() - started)
            if status != expected:
                problems.append(status)
        connection.close()
        times.extend(mine)

    seconds = timed(clients, client)
    if problems:
        raise RuntimeError(f"{len(problems)} answers were not {expected}: {problems[:5]}")
    return Measured.of(seconds, times)


def timed(count: int, work: Callable[[], None]) -> float:
    """Run the same work in so many threads; returns the seconds."""
    threads = [threading.Thread(target=work) for _ in range(count)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started

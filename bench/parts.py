"""The processes of a measurement: gate, platform and mailbox, each its own, as in life."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from approval.demo.mailbox import Mailbox

SETTINGS = """\
[server]
bind_port = {port}
[abiquo]
api_location = {api}
api_username = admin
api_password = xabiquo
[mail]
from = Approval gate <gate@gate.example>
host = 127.0.0.1
port = {smtp}
operator = operator@gate.example
"""


@dataclass(frozen=True)
class Gate:
    """A served gate."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def memory_mb(self) -> float:
        """Resident memory in MB (10^6 bytes)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024 / 1e6


@contextmanager
def running(*arguments: str, ready: str = "ready", log: Path | None = None) -> Iterator[list[str]]:
    """Run a module as a process until the block ends; yields the words it printed when ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdout=subprocess.PIPE,
        stderr=log.open("w") if log else subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.startswith(ready):
            raise RuntimeError(f"{arguments} did not start: {line!r}")
        yield [str(process.pid), *line.split()[1:]]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextmanager
def platform(tasks: int, latency: float) -> Iterator[str]:
    """A simulated platform that holds so many tasks; yields the address of its API."""
    with running("bench.platform", str(tasks), str(latency)) as (_, url):
        yield f"{url}/api"


@contextmanager
def gate(folder: Path, api: str, mailbox: Mailbox) -> Iterator[Gate]:
    """A gate with default settings, served as in production."""
    port = free_port()
    file = folder / "workflow.cfg"
    file.write_text(SETTINGS.format(port=port, api=api, smtp=mailbox.smtp_port))
    with (folder / "gate.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "approval", "serve", "--config", str(file)],
            stdout=log,
            stderr=log,
        )
        try:
            wait_for_port(port)
            yield Gate(port, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_for_port(port: int, timeout: float = 20.0) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)

"""The processes of a measurement: gate, platform and mailbox, each its own, as in life."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NOWHERE = "http://127.0.0.1:9/api"  # nobody listens on the discard port
DATABASE = "workflow.db"
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
most_per_hour = 0
"""


@dataclass(frozen=True)
class Gate:
    """A served gate."""

    port: int
    pid: int
    database: Path

    def memory_mb(self) -> float:
        """Resident memory in MB (10^6 bytes)."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024 / 1e6

    def computed(self) -> float:
        """Seconds of a processor since its start."""
        # After the name, which may hold anything, come the fields from the third one on.
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def platform(tasks: int, latency: float) -> Iterator[str]:
    """A simulated platform that holds so many tasks; yields the address of its API."""
    with _process([sys.executable, "-m", "bench.platform", str(tasks), str(latency)]) as process:
        yield f"{_ready(process)[0]}/api"


@contextmanager
def gate(folder: Path, api: str, smtp_port: int) -> Iterator[Gate]:
    """A gate with default settings, served as in production; its log goes to a file."""
    port = free_port()
    file = folder / "workflow.cfg"
    file.write_text(SETTINGS.format(port=port, api=api, smtp=smtp_port), encoding="utf-8")
    command = [sys.executable, "-m", "approval", "serve", "--config", str(file)]
    with _process(command, folder / "gate.log") as process:
        wait_for_port(port)
        yield Gate(port, process.pid, folder / DATABASE)


@contextmanager
def _process(command: list[str], log: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run a command until the block ends."""
    with open(log or "/dev/null", "a", encoding="utf-8") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)


def _ready(process: subprocess.Popen[str]) -> list[str]:
    """The words that a process prints after "ready"."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    word, *words = process.stdout.readline().split() or [""]
    if word != "ready":
        raise RuntimeError(f"{process.args} did not start")
    return words


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_for_port(port: int, timeout: float = 60.0) -> None:
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

"""The processes of a measurement: gates, platform and mailbox, each its own, as in life."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from werkzeug.test import Client

from approval.cli.assembly import assemble
from approval.config import load
from bench import stores
from bench.setups import Setup

NOWHERE = "http://127.0.0.1:9/api"  # nobody listens on the discard port
SETTINGS = """\
[server]
bind_port = {port}
database = {database}
secret_key = {key}
most_pending = 100000
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
{engine}"""
# What runs the gates: `make bench` names an environment as operators have it, for what is only
# needed to develop takes memory too (structlog loads rich if it is there).
PYTHON = os.environ.get("BENCH_PYTHON", sys.executable)
# As in deploy/: glibc's arenas would take as much memory again.
ENVIRONMENT = os.environ | {"MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True)
class Gate:
    """A process of a gate."""

    port: int
    pid: int

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

    def signal(self, number: signal.Signals) -> None:
        """Have it die, stop or go on."""
        os.kill(self.pid, number)


@dataclass(frozen=True)
class Site:
    """What is set up for a gate: its store, and the settings of each of its processes."""

    store: stores.Store
    folder: Path
    commands: Sequence[str]
    ports: Sequence[int]

    @contextmanager
    def served(self, *places: int) -> Iterator[Sequence[Gate]]:
        """All processes, or those at some places, with their logs in a file."""
        with ExitStack() as stack:
            gates = [
                Gate(port, stack.enter_context(_process(self._words(place), self._log)).pid)
                for place, port in enumerate(self.ports)
                if place in (places or range(len(self.ports)))
            ]
            for gate in gates:
                wait_for_port(gate.port)
            yield gates

    @contextmanager
    def unattended(self) -> Iterator[Client]:
        """Its web part, in this process, while nobody does the work."""
        structlog.configure(processors=[_drop])
        service = assemble(load(self.settings(), {}), works=False)
        try:
            yield service.app.test_client()
        finally:
            service.close()

    def settings(self, place: int = 0) -> Path:
        """The settings of a process."""
        return self.folder / f"workflow-{place}.cfg"

    @property
    def _log(self) -> Path:
        return self.folder / "gate.log"

    def _words(self, place: int) -> list[str]:
        command, file = self.commands[place], str(self.settings(place))
        return [PYTHON, "-m", "approval", command, "--config", file]


def _drop(logger: object, name: str, event: MutableMapping[str, Any]) -> str:
    raise structlog.DropEvent


@contextmanager
def site(setup: Setup, folder: Path, api: str, smtp_port: int) -> Iterator[Site]:
    """Set up a gate with default settings, of which nothing runs yet."""
    with setup.engine() as engine, setup.store(folder) as store:
        ports = [free_port() for _ in setup.commands]
        made = Site(store, folder, setup.commands, ports)
        for place, port in enumerate(ports):
            values = {"port": port, "database": store.url, "key": stores.KEY, "engine": engine}
            text = SETTINGS.format(api=api, smtp=smtp_port, **values)
            made.settings(place).write_text(text, encoding="utf-8")
        yield made


@contextmanager
def platform(tasks: int, latency: float) -> Iterator[str]:
    """A simulated platform that holds so many tasks; yields the address of its API."""
    with _process([sys.executable, "-m", "bench.platform", str(tasks), str(latency)]) as process:
        yield f"{_ready(process)[0]}/api"


@contextmanager
def _process(command: list[str], log: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run a command until the block ends."""
    with open(log or "/dev/null", "a", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=ENVIRONMENT
        )
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
        raise RuntimeError(f"{process.args!r} did not start")
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

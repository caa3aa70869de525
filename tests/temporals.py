"""A real Temporal: the development server, offline, on a file, to be killed and started again."""

import asyncio
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from temporalio.client import Client

from approval.demo.loopback import free_port
from tests.waiting import wait_until

PROGRAM = Path(sys.executable).with_name("temporal")
TRIES = 3
SETTINGS = """\
[engine]
kind = temporal
[temporal]
address = {address}
task_queue = {queue}
"""


def new_queue() -> str:
    """What a gate of its own calls its things there."""
    return f"gate-{uuid.uuid4().hex[:8]}"


@dataclass
class Temporal:
    """A server that keeps what it has in a folder.

    As a rule it flushes nothing to the disk: it is killed, but the power does not fail.
    """

    folder: Path
    dynamic: tuple[str, ...] = ()
    synchronous: str = "OFF"
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def settings(self, queue: str) -> str:
        """Sections of a workflow.cfg for a gate that uses it."""
        return SETTINGS.format(address=self.address, queue=queue)

    def start(self) -> None:
        """Start it, and wait until it serves.

        Somebody may take a port that was free a moment ago: then it ends, and is started again,
        where nobody knows its own port yet on another one.
        """
        known = self._process is not None
        for _ in range(TRIES):
            self._launch()
            if wait_until(lambda: self._serves() or self._ended()) and not self._ended():
                return
            self.port = self.port if known else free_port()
        raise AssertionError((self.folder / "temporal.log").read_text())

    def _launch(self) -> None:
        options = {
            "ip": "127.0.0.1",
            "port": self.port,
            "http-port": free_port(),
            "metrics-port": free_port(),
            "db-filename": self.folder / "temporal.db",
            "log-level": "error",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        for pragma in ("journal_mode=WAL", f"synchronous={self.synchronous}"):
            words += ["--sqlite-pragma", pragma]
        words += [word for value in self.dynamic for word in ("--dynamic-config-value", value)]
        with (self.folder / "temporal.log").open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "server", "start-dev", "--headless", *words], stdout=log, stderr=log
            )

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """Let it die at once."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def rename_list(self, old: str, new: str) -> None:
        """Rename the table of which lists are read, so that it cannot list, or can again."""
        with closing(sqlite3.connect(self.folder / "temporal.db", timeout=10)) as other, other:
            other.execute(f"ALTER TABLE {old} RENAME TO {new}")

    async def client(self) -> Client:
        return await Client.connect(self.address)

    def _serves(self) -> bool:
        async def ask() -> None:
            client = await self.client()
            await client.count_workflows()

        with suppress(Exception):
            asyncio.run(ask())
            return True
        return False


@contextmanager
def running(folder: Path, *dynamic: str, synchronous: str = "OFF") -> Iterator[Temporal]:
    """A server of one's own."""
    server = Temporal(folder, dynamic, synchronous)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Temporal]:
    """One server for all tests that leave it alone; each has a task queue of its own."""
    with running(tmp_path_factory.mktemp("temporal")) as server:
        yield server

"""`approval serve` as a process that can be made to die at a moment.

Processes are forked from one that has imported the gate, because its import takes longer than
all that is asked of it here; `afresh` runs the command as an operator does.
"""

import multiprocessing
import os
import random
import signal
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import requests

from approval.cli import main
from tests.conftest import wait_until
from tests.crash.moments import Moments, watch

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["__main__", "approval.cli.assembly", "tests.crash.service"])
_ports = cycle(random.sample(range(20_000, 32_000), 2_000))
COMMAND = ["serve", "--config", "workflow.cfg"]


_asking = threading.Lock()  # of threads that ask at the same time one gets a wrong exit code


@dataclass(frozen=True)
class Service:
    """A gate that serves the settings in a folder; the moments it had are kept beside them."""

    process: multiprocessing.Process
    folder: Path
    url: str

    @property
    def alive(self) -> bool:
        with _asking:
            return self.process.is_alive()

    def wait_for_death(self) -> None:
        """It is known to be dying."""
        code = self._ended()
        assert code == -signal.SIGKILL, f"it ended with {code}: {(self.folder / 'log').read_text()}"

    def end(self) -> int | None:
        """Ask it to end, and return how it ended."""
        self.process.terminate()
        return self._ended()

    def kill(self) -> None:
        """Leave nothing behind."""
        self.process.kill()
        self._ended()

    def _ended(self) -> int | None:
        wait_until(lambda: not self.alive, timeout=60)
        return self.process.exitcode


def free_port() -> int:
    """A port that nobody has, nor is given while the gate is dead.

    The system hands out those from 32768 on to whoever asks for any.
    """
    for port in _ports:
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("there is no end of ports")


def start(folder: Path, url: str, last: int | None = None, *, afresh: bool = False) -> Service:
    """Start a gate, to die at moment `last`; `afresh` it has no moments. Waits until it serves.

    It may die before that.
    """
    process = _forks.Process(target=_serve, args=(folder, last, afresh))
    with _asking:
        process.start()
    service = Service(process, folder, url)
    with requests.Session() as session:
        wait_until(lambda: not service.alive or _serves(session, url), timeout=60)
    return service


def moments(folder: Path) -> list[str]:
    """All moments that the gates of a folder had, in words."""
    file = folder / "moments"
    return file.read_text("utf-8").splitlines() if file.exists() else []


def _serves(session: requests.Session, url: str) -> bool:
    try:
        return session.get(f"{url}/healthz", timeout=5).ok
    except requests.RequestException:
        return False


def _serve(folder: Path, last: int | None, afresh: bool) -> None:
    """What the process does."""
    for name in [name for name in os.environ if name.startswith("APPROVAL_")]:
        del os.environ[name]
    os.chdir(folder)
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1, inheritable=True)
    os.dup2(log, 2, inheritable=True)
    if afresh:
        os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
        os.execv(sys.executable, [sys.executable, "-m", "approval", *COMMAND])  # noqa: S606 - ours
    watch(Moments(folder / "moments", last))
    main(COMMAND)

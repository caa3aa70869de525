"""The gate as a process of its own, served as in production."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn, Self

import requests

from approval.demo import loopback

READY = 30.0  # seconds
STOP = 15.0
SHOWN = 15  # lines of the log


class GateFailed(Exception):
    """Raised if the gate did not start, or ended by itself; `log` holds its last lines."""

    def __init__(self, message: str, log: str) -> None:
        super().__init__(message)
        self.log = log


class Gate:
    """Runs from the moment it is made until it is closed; best used in a `with` block.

    It is served at `url` as the settings file says, beside which it keeps its log.
    """

    def __init__(self, settings: Path, url: str) -> None:
        self.url = url
        self._log = settings.with_name("gate.log")
        self._http = loopback.session()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "approval.demo.leash", "approval", "serve",
                 "--config", str(settings)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for the demo, which then stops the gate
            )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def log(self) -> str:
        """The last lines of its log."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-SHOWN:])

    def wait_until_ready(self, timeout: float = READY) -> None:
        """Raises GateFailed."""
        deadline = time.monotonic() + timeout
        while not self._is_ready():
            if not self.alive:
                raise self._failed("the gate did not start")
            if time.monotonic() > deadline:
                raise self._failed(f"the gate was not ready after {timeout:.0f} seconds")
            time.sleep(0.05)

    def wait_until_ended(self) -> NoReturn:
        """Wait for what should not happen. Raises GateFailed."""
        self._process.wait()
        raise self._failed("the gate has ended")

    def close(self) -> None:
        """Let it finish what is under way; end it by force if that takes too long."""
        self._process.terminate()
        try:
            self._process.wait(STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        self._http.close()

    def _is_ready(self) -> bool:
        try:
            return self._http.get(f"{self.url}/readyz", timeout=2).ok
        except requests.RequestException:
            return False

    def _failed(self, message: str) -> GateFailed:
        status = self._process.poll()
        return GateFailed(message if status is None else f"{message}: status {status}", self.log)


def _environment() -> dict[str, str]:
    """Ours without settings of a real gate, which would win over those in the file."""
    return {name: value for name, value in os.environ.items() if not name.startswith("APPROVAL_")}

"""The commands, in this process and as processes of their own."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result

from approval.cli import main
from tests import stores
from tests.conftest import free_port, settings_text, wait_until
from tests.watch import WATCH

NOBODY = 65534
GROUPS = ("db", "audit", "keys", "temporal", "engine")


@dataclass
class Serving:
    """`approval serve` as a process."""

    process: subprocess.Popen[bytes]
    url: str
    folder: Path

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8")

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).json()["ready"]
        except requests.ConnectionError:
            return False

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end, return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(30)


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("APPROVAL_")}


def write(folder: Path, text: str, port: int = 0) -> str:
    """Write the settings; returns the URL of the gate that is to serve with them."""
    port = port or free_port()
    WATCH.settings(text)
    text = text.replace("bind_port = 0", f"bind_port = {port}")
    file = folder / "workflow.cfg"
    file.write_text(text, "utf-8")
    file.chmod(0o600)
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def text(cloud, mailbox) -> str:
    """The least settings for the platform and the mail server of the test."""
    return settings_text(cloud, mailbox)


@pytest.fixture
def launch(tmp_path) -> Iterator[Callable[..., Serving]]:
    """Starts `approval serve` in the test's folder, without waiting for anything."""
    started = []

    def launch(url: str = "", folder: Path = tmp_path, command: str = "serve") -> Serving:
        words = [sys.executable, "-m", "approval", command, "--config", "workflow.cfg"]
        python_path = {"PYTHONPATH": str(Path(__file__).parents[2])}
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(
                words, cwd=folder, stderr=log, stdout=log, env=environment() | python_path
            )
        started.append((process, folder / "log"))
        return Serving(process, url, folder)

    yield launch
    for process, log in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        WATCH.read(log)
        WATCH.keys(log.parent)


@pytest.fixture
def serve(tmp_path, launch, cloud) -> Callable[[str], Serving]:
    """Serves with these settings, as a process, until it answers.

    The tables are there: to make them takes longer than the rest of a start.
    """

    def serve(text: str, port: int = 0) -> Serving:
        url = write(tmp_path, text, port)
        if "database = " not in text and not (tmp_path / "workflow.db").exists():
            stores.file(tmp_path / "workflow.db")
        serving = launch(url)
        wait_until(serving.answers, timeout=30)
        cloud.callback_url = f"{url}/callback"
        return serving

    return serve


@pytest.fixture
def approval(tmp_path) -> Callable[..., Result]:
    """Runs a command in this process, with the settings of the test's folder."""

    def approval(*words: str) -> Result:
        command, *rest = words
        group = [command, rest.pop(0)] if command in GROUPS else [command]
        settings = ["--config", str(tmp_path / "workflow.cfg")]
        return CliRunner(env=dict.fromkeys(os.environ)).invoke(
            main, [*group, *settings, *rest], catch_exceptions=False
        )

    return approval


@pytest.fixture
def folder():
    """One that other accounts can enter, as pytest's own cannot be."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - that is what is tested
        yield Path(folder)


@contextmanager
def reader_of(folder, *, readable=lambda file: True):
    """Be an account that may read the files of a folder and write none."""
    for file in folder.iterdir():
        file.chmod(0o444 if readable(file) else 0)
    folder.chmod(0o555)
    own = os.geteuid()
    if own == 0:  # whom modes do not stop
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(own)
        folder.chmod(0o755)

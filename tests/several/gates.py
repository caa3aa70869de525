"""Several gates on one database: processes that are killed and started again."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from approval.demo.cloud import Cloud
from approval.demo.mailbox import Mailbox
from tests import stores
from tests.conftest import free_port, settings_text, wait_until
from tests.relay import relay, tcp
from tests.stores import Hosted
from tests.watch import WATCH

ROOT = Path(__file__).parents[2]
# Two managers get every mail.
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "APPROVAL_MAIL__MOST_PER_HOUR": "0"}


@dataclass
class Process:
    """One of the commands that serve or work, with settings of its own."""

    command: str
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    kills: int = 0
    begun: int = 0  # where in its log

    def start(self) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("APPROVAL_")}
        words = [sys.executable, "-m", "approval", self.command, "--config", self._name]
        with self.log.open("ab") as log:
            self.begun = log.tell()
            self.process = subprocess.Popen(
                words,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                env=environment | ENVIRONMENT,
            )

    def write(self, text: str) -> None:
        """Write its settings."""
        (self.folder / self._name).write_text(text.replace("_port = 0", f"_port = {self.port}"))

    def answers(self) -> bool:
        """Whether it serves."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text("utf-8", "replace")
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5).ok
        except requests.RequestException:
            return False

    def kill(self) -> None:
        """Let it die, and start another in its place."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.kills += 1
        self.start()

    def works(self) -> bool:
        """Whether it says that it serves or works; whoever was started a moment ago does not."""
        said = self.log.read_bytes()[self.begun :]
        return any(b'"event": "%s"' % word in said for word in (b"serving", b"working"))

    def end(self) -> int:
        """Ask it to end; returns how it ended."""
        assert self.process is not None
        try:
            wait_until(self.works, timeout=60)
            self.process.send_signal(signal.SIGTERM)
            return self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()

    @property
    def log(self) -> Path:
        return self.folder / f"{self._name}.log"

    @property
    def _name(self) -> str:
        return f"{self.command}-{self.port}.cfg"


@dataclass
class Gates:
    """Gates behind a load balancer, between a platform and a mail server."""

    store: Hosted
    cloud: Cloud
    mailbox: Mailbox
    processes: Sequence[Process]
    url: str


@contextmanager
def gates(folder: Path, commands: Sequence[str], sections: str = "") -> Iterator[Gates]:
    """One process for each command; those that serve are behind one address.

    `sections` are more settings.
    """
    with ExitStack() as stack:
        store = stack.enter_context(stores.fresh(folder))
        assert isinstance(store, Hosted)
        mailbox = stack.enter_context(Mailbox(keep=100_000))
        cloud = stack.enter_context(Cloud(keep_calls=100_000))
        processes = [Process(command, folder, free_port()) for command in commands]
        serving = [process for process in processes if process.command != "worker"]
        between = stack.enter_context(relay(*(tcp(process.port) for process in serving)))
        url = f"http://127.0.0.1:{between.port}"
        text = settings_text(cloud, mailbox, f"public_url = {url}\n{store.settings}{sections}")
        WATCH.settings(text)
        for process in processes:
            process.write(text)
            process.start()
            stack.callback(process.end)
        for process in serving:
            wait_until(process.answers, timeout=60)
        yield Gates(store, cloud, mailbox, processes, url)
    for process in processes:
        WATCH.read(process.log)

"""The demo as its users start it: real processes, real signals."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from approval.demo.loopback import free_port
from approval.demo.welcome import started_as
from tests.conftest import wait_until

DATA = Path(__file__).parent.parent / "platforms" / "data"
ARTICLE, COLLECTION = DATA / "article.xml", DATA / "collection.json"
LAST_LINE = "Ctrl-C ends it all"
# What an operator's shell may hold; none of it is for the demo.
ENVIRONMENT = {
    "APPROVAL_ABIQUO__API_PASSWORD": "not-for-the-demo",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "PYTHONIOENCODING": "latin-1",  # has no tick
}


class Demo:
    """A demo that runs, with its temporary files in `folder`."""

    def __init__(self, folder, *options):
        self.folder = folder
        self.cloud_port = free_port()
        self.process = start(folder, "--cloud-port", str(self.cloud_port), *options)
        self.output = ""

    def read_until(self, text):
        while text not in self.output:
            line = self.process.stdout.readline()
            assert line, f"the demo ended: {self.output} {self.process.stderr.read()}"
            self.output += line

    def end(self, number):
        self.process.send_signal(number)
        rest, errors = self.process.communicate(timeout=20)
        self.output += rest
        return self.process.returncode, errors

    def mailbox(self):
        url = re.search(r"Mailbox +(\S+)", self.output)[1]
        return requests.get(url, timeout=5).text


def start(folder, *options):
    return subprocess.Popen(
        [sys.executable, "-m", "approval", "demo", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | ENVIRONMENT | {"TMPDIR": str(folder)},
    )


def run(folder, *options):
    with start(folder, *options) as process:
        output, errors = process.communicate(timeout=40)
    return process.returncode, output, errors


def gates(folder):
    """The ids of gates whose settings lie below this folder."""
    commands = {path.parent.name: _command(path) for path in Path("/proc").glob("[0-9]*/cmdline")}
    return [int(pid) for pid, command in commands.items() if str(folder) in command]


def _command(path):
    try:
        return path.read_text()
    except (ProcessLookupError, FileNotFoundError):
        return ""


@pytest.fixture
def demo(tmp_path):
    demo = Demo(tmp_path)
    with demo.process:
        demo.read_until(LAST_LINE)
        yield demo
        demo.process.kill()
    wait_until(lambda: not gates(tmp_path))


@pytest.fixture(scope="module")
def fed(tmp_path_factory):
    """A demo that was started to send the article's callback."""
    demo = Demo(tmp_path_factory.mktemp("fed"), "--send", str(ARTICLE))
    with demo.process:
        demo.read_until("the gate ")
        yield demo
        assert demo.end(signal.SIGINT) == (0, "")


def send(demo, file):
    return run(demo.folder, "--send", str(file), "--cloud-port", str(demo.cloud_port))


def test_a_round_plays_itself(tmp_path):
    status, output, errors = run(tmp_path, "--once")
    assert (status, errors) == (0, "")
    assert re.findall(r"^  \? (\d)", output, re.MULTILINE) == list("123456789")
    assert list(tmp_path.iterdir()) == []


def test_leaves_nothing_behind(demo):
    assert len(gates(demo.folder)) == 1
    assert demo.end(signal.SIGTERM) == (0, "")
    assert "Bye" in demo.output
    assert gates(demo.folder) == []
    assert list(demo.folder.iterdir()) == []
    assert free_port(demo.cloud_port) == demo.cloud_port


def test_takes_its_gate_along_when_it_is_killed(demo):
    demo.process.kill()
    wait_until(lambda: not gates(demo.folder))


def test_ends_with_its_gate_and_shows_the_log(demo):
    (gate,) = gates(demo.folder)
    os.kill(gate, signal.SIGKILL)
    _, errors = demo.process.communicate(timeout=20)
    assert demo.process.returncode == 1
    assert "the gate has ended: status -9" in errors
    assert '"event": "serving"' in errors
    assert list(demo.folder.iterdir()) == []


def test_a_callback_from_a_file_leads_to_a_mail(fed):
    assert "holds 1 task of it" in fed.output
    assert "answers 202" in fed.output
    wait_until(lambda: "Approval needed: deploy web-01" in fed.mailbox())


def test_a_file_goes_to_the_demo_that_runs(fed):
    status, output, errors = send(fed, ARTICLE)
    assert (status, errors) == (0, "")
    assert "answers 200: known already" in output


def test_a_callback_of_todays_versions_can_be_sent_too(fed):
    status, output, errors = send(fed, COLLECTION)
    assert (status, errors) == (0, "")
    assert "with 1 task, see the mailbox" in output
    wait_until(lambda: "Approval needed: undeploy web-01" in fed.mailbox())


def test_what_cannot_be_read_is_posted_all_the_same(fed, tmp_path):
    nonsense = tmp_path / "nonsense.xml"
    nonsense.write_text("<nonsense/>")
    status, output, errors = send(fed, nonsense)
    assert (status, errors) == (1, "")
    reason = "the element is 'nonsense', not tasks or task"
    assert f"Abiquo    holds nothing of it: {reason}" in output
    assert f"the gate  answers 400: {reason}" in output


@pytest.mark.parametrize("missing", ["aiosmtpd", "requests"])
def test_says_how_to_get_what_is_missing(missing):
    script = (
        f"import sys; sys.modules['{missing}'] = None; import approval.cli as c; c.main(['demo'])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.endswith(f"{sys.executable} -m pip install '.[demo]'\n")


def test_the_hint_for_callbacks_of_ones_own_works_as_printed(fed, tmp_path):
    [hint] = re.findall(r"^ +(.* --send) FILE$", fed.output, re.MULTILINE)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(
        ["sh", "-c", f"{hint} {ARTICLE}"], cwd=tmp_path, env=environment, capture_output=True,
        text=True, check=False, timeout=40,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "answers 200: known already" in ended.stdout


def test_the_hint_names_the_program_that_was_started(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "my env/bin/approval"), "demo"])
    assert started_as() == f"'{tmp_path}/my env/bin/approval'"
    program = tmp_path / "my env/bin/approval"
    program.parent.mkdir(parents=True)
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    assert started_as() == "approval"

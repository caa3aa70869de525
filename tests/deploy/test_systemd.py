"""The unit of `deploy/systemd`, as systemd reads it."""

import re
import shutil
import subprocess
import sys

import pytest

from approval.cli import main, serving
from approval.web import server
from tests.deploy.fronts import DEPLOY
from tests.lacking import lacking

UNIT = DEPLOY / "systemd/approval@.service"
CREDENTIALS = DEPLOY / "systemd/credentials.conf"
INSTALLED = "/opt/approval/bin/approval"


@pytest.fixture
def analyze(tmp_path):
    """Runs systemd-analyze on the unit as an instance, with the credentials."""
    program = shutil.which("systemd-analyze")
    if program is None:
        lacking("systemd-analyze is missing: apt install systemd")
    text = UNIT.read_text("utf-8")
    assert INSTALLED in text
    unit = tmp_path / "approval@serve.service"
    unit.write_text(text.replace(INSTALLED, sys.executable), "utf-8")  # it has to be there
    drop_in = tmp_path / "approval@serve.service.d"
    drop_in.mkdir()
    active = re.sub(r"^#(?=\w+=)", "", CREDENTIALS.read_text("utf-8"), flags=re.M)
    (drop_in / "credentials.conf").write_text(active, "utf-8")

    def analyze(*words: str) -> subprocess.CompletedProcess[str]:
        command = [program, *words, str(unit)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return analyze


def test_systemd_finds_nothing_wrong_with_the_unit(analyze):
    run = analyze("verify", "--man=no")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_the_unit_leaves_a_broken_gate_little_to_do(analyze):
    run = analyze("security", "--offline=true", "--no-pager", "--threshold=15")  # of 100
    assert run.returncode == 0, run.stdout


def test_each_way_to_run_it_that_the_unit_names_is_a_command():
    words = re.findall(r"approval@(\w+)(?!\w*\.)", UNIT.read_text("utf-8"))
    assert {"serve", "web", "worker"} <= {*words}
    assert {*words} <= {*main.commands}


def test_there_is_time_to_end_what_is_under_way():
    found = re.search(r"^TimeoutStopSec=(\d+)$", UNIT.read_text("utf-8"), re.M)
    assert found is not None
    assert int(found[1]) > server.DRAIN + serving.FINISH

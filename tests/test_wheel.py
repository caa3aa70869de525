"""What `pip install` brings: built from the tree, in an empty environment, far from the tree."""

import os
import signal
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import requests

from tests.conftest import free_port, press, settings_text, wait_until
from tests.watch import WATCH

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The programs of an environment that has nothing but the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=True)
    programs = folder / "env" / "bin"
    install = [str(programs / "pip"), "install", "--quiet", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    return programs


@pytest.fixture
def url(installed, tmp_path, cloud, mailbox):
    """Where the installed gate serves."""
    port = free_port()
    text = settings_text(cloud, mailbox).replace("bind_port = 0", f"bind_port = {port}")
    WATCH.settings(text)
    (tmp_path / "workflow.cfg").write_text(text, "utf-8")
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with (tmp_path / "log").open("w") as log:
        command = [installed / "approval", "serve"]
        gate = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: gate.poll() is not None or _answers(url), timeout=30)
            assert gate.poll() is None, (tmp_path / "log").read_text("utf-8")
            yield url
        finally:
            gate.send_signal(signal.SIGTERM)
            gate.wait(30)
            WATCH.read(tmp_path / "log")


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=5).ok
    except requests.ConnectionError:
        return False


def test_an_installed_gate_mails_serves_its_pages_and_tells_the_platform(url, cloud, mails):
    cloud.callback_url = f"{url}/callback"
    [task] = cloud.deploy_machine(59)
    link = mails.to("mona@acme.example").link("accept")
    page = requests.get(link, timeout=10)
    assert page.status_code == 200
    assert "wants to deploy" in page.text
    assert "web-01" in page.text
    assert press(link).status_code == 200
    wait_until(lambda: cloud.task_state(task) != "QUEUEING")


def test_an_installed_gate_explains_its_settings(installed):
    run = subprocess.run(
        [installed / "approval", "settings"], check=True, capture_output=True, text=True
    )
    assert run.stdout == (ROOT / "workflow.cfg.example").read_text("utf-8")


def test_an_installed_gate_says_what_its_demo_needs(installed):
    run = subprocess.run(
        [installed / "approval", "demo"], check=False, capture_output=True, text=True
    )
    assert run.returncode == 2
    assert run.stderr.endswith("-m pip install '.[demo]'\n")


def test_an_installed_gate_takes_names_beyond_ascii(installed, tmp_path, cloud, mailbox):
    address = "public_url = https://freigabe.b\u00fccher.example\ncallback_secret = " + "s" * 22
    (tmp_path / "workflow.cfg").write_text(settings_text(cloud, mailbox, address), "utf-8")
    run = subprocess.run(
        [installed / "approval", "check"], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert "problem" not in run.stdout + run.stderr

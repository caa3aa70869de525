"""The commands with a PostgreSQL database."""

import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from approval.cli import serving
from approval.cli.assembly import assemble
from approval.config import load
from tests import stores
from tests.cli.conftest import environment, write
from tests.conftest import MONA, free_port, wait_until

SECRET = "a-secret-of-22-characters"
pytestmark = pytest.mark.only_on("postgresql")


@pytest.fixture
def bare(tmp_path):
    """A database without tables."""
    with stores.bare(tmp_path) as store:
        yield store


@pytest.fixture
def settings(bare, text, tmp_path):
    """The settings for it are written."""
    write(tmp_path, f"{text}{bare.settings}")


@pytest.fixture
def guarded(bare, text, tmp_path):
    """The same, with a secret that callbacks have to name."""
    write(tmp_path, f"{text}{bare.settings}callback_secret = {SECRET}\n")


def test_its_tables_are_made_by_a_command_and_by_nothing_else(settings, approval):
    acts = ["redeliver"], ["reconcile"], ["revoke", "--person", MONA], ["audit", "verify"]
    for command in (["check"], ["serve"], ["web"], ["worker"], *acts):
        told = approval(*command)
        assert told.exit_code == 1
        assert "run 'approval db upgrade" in told.output
    assert approval("db", "upgrade").exit_code == 0
    told = approval("check")
    assert "/test_" in told.output.splitlines()[0]
    assert told.output.splitlines()[0].endswith(" is up to date")
    assert told.exit_code == 0


def test_the_trail_is_verified(settings, approval):
    approval("db", "upgrade")
    assert "intact: 0 events" in approval("audit", "verify").output


def test_a_server_that_is_not_there_is_told_without_the_password(text, tmp_path, approval):
    address = f"postgresql://gate:sesame@/approval?host={tmp_path}"
    write(tmp_path, f"{text}database = {address}\nsecret_key = {stores.KEY}\n")
    for command in (["check"], ["db", "upgrade"], ["redeliver"], ["serve"]):
        told = approval(*command)
        assert told.exit_code == 1
        assert "problem  [server] database: " in told.output or command == ["serve"]
        assert "problem  " in told.output
        assert "sesame" not in told.output


@pytest.mark.parametrize("command", ["web", "worker"])
def test_a_part_of_a_gate_shares_no_file(text, tmp_path, approval, command):
    write(tmp_path, text)
    told = approval(command)
    assert told.exit_code == 1
    assert "a SQLite file is for one process" in told.output


def test_keys_that_stand_in_the_settings_are_changed_there(settings, approval):
    told = approval("keys", "rotate")
    assert told.exit_code == 1
    assert "the keys stand in the settings" in told.output


@contextmanager
def gunicorn(folder):
    """The web part in two processes of another server; yields its URL."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", "--workers", "2", "--threads", "4"),
        *("--bind", f"127.0.0.1:{port}", 'approval.wsgi:application("workflow.cfg")'),
    ]
    python_path = {"PYTHONPATH": str(Path(__file__).parents[2])}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env=environment() | python_path
        ) as process,
    ):

        def ready():
            assert process.poll() is None, (folder / "log").read_text()
            try:
                return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).json()["ready"]
            except requests.RequestException:
                return False

        try:
            wait_until(ready, timeout=60)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
    assert process.returncode == 0


def test_gunicorn_can_serve_the_web_part(guarded, approval, tmp_path, cloud, bare):
    approval("db", "upgrade")
    with gunicorn(tmp_path) as url:
        body = cloud.callback_body(cloud.deploy_machine(59))
        assert requests.post(f"{url}/callback", body, timeout=10).status_code == 401
        assert requests.post(f"{url}/callback/{SECRET}", body, timeout=10).status_code == 202
    assert bare.rows("SELECT kind FROM jobs") == [("consider",)]


def test_gunicorn_announces_no_end_of_waiting_that_was_called_off(
    text, guarded, approval, tmp_path, cloud, mails, bare
):
    told = approval("db", "upgrade")
    assert told.exit_code == 0, told.output
    (tmp_path / "before").mkdir()
    waits = f"{text}{bare.settings}[policy]\ndecline_after = 3 days\n"
    write(tmp_path / "before", waits)
    config = load(tmp_path / "before" / "workflow.cfg", {})
    with closing(assemble(config)) as service, serving._working(service):
        body = cloud.callback_body(cloud.deploy_machine(59))
        service.app.test_client().post("/callback", data=body)
        path, _, query = mails.to(MONA).link("accept").partition("?")
        wait_until(lambda: bare.rows("SELECT decline_at FROM approval_requests") != [(None,)])
    with gunicorn(tmp_path) as url:
        page = requests.get(f"{url}{urlsplit(path).path}?{query}", timeout=10)
    assert page.status_code == 200
    assert "is declined" not in page.text
    assert bare.rows("SELECT decline_at FROM approval_requests") == [(None,)]

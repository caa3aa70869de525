"""The web part as other servers take it: what it says of the settings before it serves."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import stores
from tests.cli.conftest import environment, write

SECRET = "callback_secret = a-secret-of-22-characters\n"
SIGNED = (
    "require_signature = yes\nwebhook_secret = whsec_YSBzZWNyZXQgb2YgbW9yZSB0aGFuIDI0IGJ5dGVz\n"
)


@pytest.fixture
def begin(text, tmp_path):
    """Begins to serve with a database that is not there; returns what was said."""

    def begin(server: str) -> str:
        address = f"postgresql://gate@/approval?host={tmp_path}"
        store = f"database = {address}\nsecret_key = {stores.KEY}\n"
        write(tmp_path, f"{text}{server}{store}[links]\none_click = yes\n")
        code = 'from approval.wsgi import application; application("workflow.cfg")'
        path = {"PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-c", code]
        said = subprocess.run(
            command, cwd=tmp_path, env=environment() | path, capture_output=True, text=True
        )
        assert said.returncode != 0
        return said.stderr

    return begin


def test_callbacks_of_anybody_are_refused_though_bind_address_is_this_machine_alone(begin):
    assert "[server] callback_secret: is required here" in begin("")


@pytest.mark.parametrize("known", [SECRET, SIGNED], ids=["secret", "signature"])
def test_what_should_not_stay_as_it_is_is_logged(begin, known):
    said = begin(known)
    assert "is required here" not in said
    assert "one_click = yes: opening a link decides" in said

"""The watch over the logs of the suite finds what it is there for; else it would prove nothing."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from approval.links import REQUEST, TASK, Links
from tests.fakes import NOW
from tests.watch import Watch, phrases

ROOT = Path(__file__).parents[1]
SETTINGS = """
[abiquo]
api_username = admin
api_password = pass-of-the-platform
[server]
callback_secret = old-secret-of-22-letters new-secret-of-22-letters
secret_key = a-key-that-signs-the-links
[mail]
from = gate@gate.example
"""


@pytest.fixture
def watch():
    watch = Watch()
    watch.settings(SETTINGS)
    yield watch
    watch.close()


@pytest.mark.parametrize(
    "told",
    ["pass-of-the-platform", "old-secret-of-22-letters", "POST /callback/new-secret-of-22-letters",
     "a-key-that-signs-the-links", "Basic YWRtaW46cGFzcy1vZi10aGUtcGxhdGZvcm0="],
)  # fmt: skip
def test_a_secret_of_the_settings_is_found(watch, told):
    watch.write("all is well\n")
    watch.write(f'{{"event": "{told}"}}\n')
    watch.write("all is well, gate@gate.example, admin\n")
    assert watch.leaks() == [f'{{"event": "{told}"}}']


def test_a_token_is_found_by_what_opens(watch):
    token = Links(["a key"], "https://gate.example", timedelta(days=7)).token(TASK, 1, 1, NOW)
    watch.mint(token)
    signature = token.rpartition(".")[2]
    watch.write(f"GET /accept?token={token}&task=1\n")
    watch.write(f"only {signature}.\n")
    watch.write(f"another {signature[::-1]} and {signature[:-1]}\n")
    assert len(watch.leaks()) == 2


def test_a_token_that_another_process_minted_is_found_by_its_shape(watch):
    links = Links(["a key"], "https://gate.example", timedelta(days=7))
    for purpose, subject in ((TASK, 1), (REQUEST, "7f3c0a52")):
        watch.write(f"{links.token(purpose, 7, subject, NOW)}\n")
    watch.write("WzIsMSwxNzk1ODc4ODMwXQ and a.digest\n")
    assert len(watch.leaks()) == 2


def test_the_words_of_every_mail_are_found(watch):
    watch.hide(*phrases())
    mails = {file.parent.name for file in (ROOT / "templates/mail").glob("*/body.txt")}
    for name in mails:
        text = (ROOT / f"templates/mail/{name}/body.txt").read_text("utf-8")
        before = len(watch.leaks())
        watch.write(text)
        assert len(watch.leaks()) > before, name


def test_what_another_process_printed_counts_too(watch, tmp_path):
    (tmp_path / "workflow.db.key").write_text("old-key-of-the-gate\nnew-key-of-the-gate\n")
    told = ["new-key-of-the-gate", "old-key-of-the-gate", "pass-of-the-platform"]
    (tmp_path / "log").write_text("\n".join(["fine", *told]))
    watch.keys(tmp_path)
    watch.read(tmp_path / "log")
    assert watch.leaks() == told


SUITE = """
import logging
from datetime import timedelta
import pytest, structlog
from approval.links import TASK, Links
from tests.fakes import NOW

@pytest.mark.parametrize("n", range(4))
def test_something(n):
    token = Links(["a key"], "https://gate.example", timedelta(days=7)).token(TASK, n, 1, NOW)
    logging.getLogger("any.library").debug("something")
    structlog.get_logger("any").debug("else")
    {statement}
"""
WAYS = {
    "nothing": ("pass", True),
    "by a library": ("logging.getLogger('any.library').debug('got %s', token)", False),
    "structured": ("structlog.get_logger('any').debug('seen', link=f'?token={token}')", False),
    "in the words of an error": (
        "\n    try:\n        raise ValueError(token)\n    except ValueError:\n"
        "        structlog.get_logger('any').exception('broke')",
        False,
    ),
    "by the other side": ("logging.getLogger('mail.log').error(token)", True),
}


@pytest.mark.parametrize("processes", [0, 2])
@pytest.mark.parametrize(("statement", "good"), WAYS.values(), ids=WAYS)
def test_a_suite_in_which_a_token_is_logged_fails(tmp_path, statement, good, processes):
    (tmp_path / "conftest.py").write_text("from tests.watch import nothing_secret_is_logged\n")
    (tmp_path / "test_one.py").write_text(SUITE.replace("{statement}", statement))
    spread = ["-n", str(processes)] if processes else []
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *spread, str(tmp_path)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "4 passed" in ended.stdout
    assert ended.returncode == (0 if good else 1), ended.stdout
    assert ("tell a secret" in ended.stdout) is not good

"""The smaller commands."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from approval import __version__
from approval.cli import main
from approval.cli.keys import link_keys
from approval.config import load
from approval.demo.cloud.faults import Fault
from approval.store.jobs import Lane
from tests.cli.conftest import environment, write
from tests.conftest import MONA, served_gate, served_site, wait_until
from tests.stores import File


@pytest.fixture
def given_up(tmp_path):
    """A site whose platform is down, and that gives up at once; two decisions are set aside."""
    with served_site(tmp_path, "[engine]\ngive_up_after = 0 s") as site:
        tasks = site.deploy(2)
        mail = site.mail(tasks[0])
        site.settle()
        site.cloud.faults.plan(Fault(method="POST", drop=True, times=None))
        for task in tasks:
            site.gate.press(mail.link("accept", task=task))
        site.settle()
        site.cloud.faults.clear()
        yield site, tasks


def test_redeliver_takes_up_everything_that_was_set_aside(given_up, approval):
    site, tasks = given_up
    result = approval("redeliver")
    assert result.exit_code == 0
    assert result.output.count("release of request") == 2  # and an alert, if there was time for it
    site.gate.service.engine.wake(list(Lane))
    wait_until(lambda: all(site.cloud.task_state(task) != "QUEUEING" for task in tasks))
    assert "release of request" not in approval("redeliver").output


def test_redeliver_takes_up_the_tasks_that_are_named(given_up, approval):
    site, tasks = given_up
    result = approval("redeliver", tasks[1])
    assert result.exit_code == 0
    assert "1 taken up" in result.output.splitlines()
    site.settle()
    assert [site.cloud.task_state(task) == "QUEUEING" for task in tasks] == [True, False]


def test_redeliver_takes_up_nothing_if_a_name_is_unknown_and_says_which(given_up, approval):
    site, tasks = given_up
    before = site.gate.tables()["jobs"]
    result = approval("redeliver", tasks[0], "unknown", "strange")
    assert result.exit_code == 1
    words = "problem  there is no task unknown, strange; nothing was taken up"
    assert words in result.output.splitlines()
    assert site.gate.tables()["jobs"] == before


def test_redeliver_says_if_nothing_of_a_task_waits(given_up, approval):
    site, tasks = given_up
    approval("redeliver", tasks[0])
    site.settle()
    result = approval("redeliver", tasks[0])
    assert result.exit_code == 1
    assert "problem  none of these tasks waits to be delivered" in result.output.splitlines()


@pytest.mark.parametrize("words", [("redeliver",), ("db", "upgrade")])
def test_a_store_that_cannot_be_opened_is_told_in_words(text, approval, tmp_path, words):
    write(tmp_path, f"{text}database = sqlite:////nowhere/at/all.db\n")
    result = approval(*words)
    assert result.exit_code == 1
    assert result.output.startswith("problem  [server] database: ")


def test_redeliver_before_there_is_a_store_is_told_in_words(text, approval, tmp_path):
    write(tmp_path, text)
    result = approval("redeliver")
    assert result.exit_code == 1
    assert result.output.startswith("problem  ")


def test_upgrade_makes_the_tables_and_can_be_repeated(text, approval, tmp_path):
    write(tmp_path, text)
    for _ in range(2):
        result = approval("db", "upgrade")
        assert (result.exit_code, result.output) == (0, "up to date\n")
    assert approval("redeliver").output == "0 taken up\n"


def test_a_backup_of_a_served_gate_holds_all_that_was_answered(tmp_path, approval):
    with served_site(tmp_path) as site:
        [task] = site.deploy()
        link = site.mail(task).link("accept")
        result = approval("db", "backup", str(tmp_path / "kept"))
        assert result.exit_code == 0
    for file in tmp_path.glob("workflow.db*"):
        file.unlink()
    for file in (tmp_path / "kept").iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
        file.rename(tmp_path / file.name)
    assert "intact" in approval("audit", "show", task).output
    port = int(link.split(":")[2].split("/")[0])
    text = (tmp_path / "workflow.cfg").read_text("utf-8")
    with served_gate(tmp_path, text, port, store=File(tmp_path / "workflow.db")) as gate:
        assert gate.press(link).status_code == 200


def test_a_backup_is_not_written_over_another(text, approval, tmp_path):
    write(tmp_path, text)
    approval("db", "upgrade")
    assert approval("db", "backup", str(tmp_path / "kept")).exit_code == 0
    again = approval("db", "backup", str(tmp_path / "kept"))
    assert (again.exit_code, "is there already" in again.output) == (1, True)


def test_what_a_command_makes_is_for_its_owner_alone(text, approval, tmp_path):
    write(tmp_path, text)
    before = os.umask(0o022)
    try:
        approval("db", "upgrade")
    finally:
        os.umask(before)
    made = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.glob("workflow.db*")}
    assert made["workflow.db"] == 0o600
    assert set(made.values()) == {0o600}


@pytest.mark.parametrize("words", [("serve",), ("check",), ("redeliver",), ("db", "upgrade")])
def test_without_settings_every_command_says_how_to_get_some(approval, words):
    result = approval(*words)
    assert result.exit_code == 2
    assert "approval settings > " in result.output


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("[links]\nvalid_days = many\n", "[links] valid_days: must be a whole number"),
        ("", "[server] database: a SQLite file is for one process"),
    ],
    ids=["settings", "store"],
)
def test_gunicorn_ends_with_the_reason_and_no_traceback(text, tmp_path, more, problem):
    write(tmp_path, f"{text}{more}")
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--bind",
        "127.0.0.1:0",
        "approval.wsgi:application()",
    ]
    python_path = {"PYTHONPATH": str(Path(__file__).parents[2])}
    told = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment() | python_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert told.returncode == 3
    assert f"problem  {problem}" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("words", [["check"], ["serve"], ["web"], ["worker"]], ids=" ".join)
def test_settings_that_are_named_as_an_argument_are_told_how_to_be_named(words):
    result = CliRunner().invoke(main, [*words, "my.cfg"])
    assert result.exit_code == 2
    assert (
        "unexpected extra argument my.cfg; settings are named as --config my.cfg" in result.output
    )


def test_the_command_line_says_its_version_and_explains_itself():
    command = [sys.executable, "-m", "approval", "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert __version__ in said.stdout
    assert "serve" in CliRunner().invoke(main, ["-h"]).output


def groups(command, *names):
    yield names
    for name, one in getattr(command, "commands", {}).items():
        yield from groups(one, *names, name)


@pytest.mark.parametrize("names", list(groups(main)), ids=" ".join)
def test_no_description_is_cut_where_80_columns_fit(names):
    said = CliRunner(env={"COLUMNS": "80"}).invoke(main, [*names, "--help"]).stdout.splitlines()
    assert [line for line in said if line.endswith("...") and "Usage" not in line] == []


def test_a_key_that_is_configured_is_used_and_none_is_made(text, tmp_path):
    write(tmp_path, f"{text}secret_key = {'a' * 22} {'b' * 22}\n")
    config = load(tmp_path / "workflow.cfg", {})
    assert link_keys(config) == ["a" * 22, "b" * 22]
    assert not (tmp_path / "workflow.db.key").exists()


def test_a_key_is_made_once_readable_by_its_owner_alone(text, tmp_path):
    write(tmp_path, text)
    config = load(tmp_path / "workflow.cfg", {})
    [first], [second] = (link_keys(config) for _ in range(2))
    assert first == second
    assert len(first) >= 43
    assert (tmp_path / "workflow.db.key").stat().st_mode & 0o777 == 0o600


@pytest.fixture
def asked(tmp_path):
    """A site where two tasks of one request are pending."""
    with served_site(tmp_path) as site:
        tasks = site.deploy(2)
        site.settle()
        yield site, tasks


def test_links_are_withdrawn_by_the_id_of_a_task_or_of_its_request(asked, approval):
    site, tasks = asked
    [request] = {row.id for row in site.gate.tables()["approval_requests"]}
    *who, count = approval("revoke", "--request", tasks[1]).stdout.splitlines()
    assert count == f"{len(who)} withdrawn"
    assert all(line.endswith(f"> of request {request}") for line in who)
    assert {row.revoked_at is None for row in site.gate.tables()["approvers"]} == {False}
    lifted = approval("revoke", "--lift", "--request", request).stdout.splitlines()
    assert lifted == [*who, f"{len(who)} let decide again"]


def test_links_that_are_withdrawn_already_are_told_so(asked, approval):
    _, tasks = asked
    approval("revoke", "--request", tasks[0])
    again = approval("revoke", "--request", tasks[0])
    assert (again.exit_code, again.stdout) == (1, "0 withdrawn\n")
    assert again.stderr == ("problem  these links are withdrawn already; --lift gives them back\n")


def test_what_waits_is_listed_with_who_is_asked(asked, approval):
    site, _ = asked
    [request] = site.gate.tables()["approval_requests"]
    approval("revoke", "--request", request.id, "--person", MONA)
    line, count = approval("pending").stdout.splitlines()
    assert line.startswith(f"{request.id}  {request.received_at:%d %b %Y %H:%M} UTC  Ana User")
    assert f"<{MONA}> (withdrawn)" in line
    assert count == "1 pending"


def test_fresh_links_are_mailed_to_all_or_to_whom_the_operator_names(asked, approval):
    site, tasks = asked
    site.settle()
    told = approval("renew", "--request", tasks[0], "--person", MONA)
    assert told.stdout.splitlines()[-1] == "1 will get fresh links"
    assert approval("renew", "--all").stdout.splitlines()[-1].endswith(" will get fresh links")
    for words in ([], ["--all", "--person", MONA], ["--all", "--request", ""]):
        assert approval("renew", *words).exit_code == 2
    wait_until(lambda: len([mail for mail in site.mails.all() if mail.to == MONA]) >= 2)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--request", "unknown"], "there is no request or task unknown"),
        (["--request", ""], "there is no request or task "),
        (["--lift", "--request", ""], "there is no request or task "),
        (["--person", ""], "nobody has links in open requests"),
        (["--person", "eve@x.example"], "nobody at eve@x.example has links in open requests"),
        (
            ["--request", "TASK", "--person", "eve@x.example"],
            "nobody at eve@x.example has links in request REQUEST",
        ),
    ],
)
def test_withdrawing_the_links_of_nobody_says_so(asked, approval, words, problem):
    site, tasks = asked
    [request] = {row.id for row in site.gate.tables()["approval_requests"]}
    result = approval("revoke", *(tasks[0] if word == "TASK" else word for word in words))
    assert result.exit_code == 1
    assert result.stderr == f"problem  {problem.replace('REQUEST', request)}\n"

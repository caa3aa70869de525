"""`approval audit`: what it prints, what it finds, and how it ends."""

import csv
import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from approval.audit import chain
from approval.store import audit as trails
from approval.store import trail
from tests import stores
from tests.cli.conftest import environment, write
from tests.conftest import served_site
from tests.fakes import NOW
from tests.stores import File, opened


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """The folder of a site where two requests were decided, and the ids of their tasks."""
    folder = tmp_path_factory.mktemp("lived")
    with served_site(folder) as site:
        tasks = site.deploy() + site.deploy()
        for task in tasks:
            site.gate.press(site.mail(task).link("accept", task=task), comment="fine \x1b[2J")
        site.settle()
        site.gate.catch_up()
    return folder, tasks


@pytest.fixture
def tasks(lived, tmp_path):
    """The ids, after the site was copied to the test's folder."""
    folder, tasks = lived
    (tmp_path / "workflow.db").write_bytes((folder / "workflow.db").read_bytes())
    config = (folder / "workflow.cfg").read_text("utf-8")
    (tmp_path / "workflow.cfg").write_text(config.replace(str(folder), str(tmp_path)), "utf-8")
    return tasks


@pytest.fixture
def change(tmp_path):
    """Changes the store behind the gate's back."""

    def change(statement, *values):
        with closing(sqlite3.connect(tmp_path / "workflow.db")) as connection, connection:
            connection.execute(statement, values)

    return change


def test_show_tells_the_way_of_a_request_by_its_id_or_a_tasks(tasks, approval):
    result = approval("audit", "show", tasks[0])
    head, task, *events, last = result.output.splitlines()
    assert (result.exit_code, last) == (0, "intact")
    assert re.match(r"  task \d is DEPLOY of ", task)  # callbacks come in any order
    assert tasks[0] in task
    kinds = [line.split()[4] for line in events]
    assert kinds[:3] == ["received", "verified", "asked"]
    assert {"mailed", "accepted", "delivered", "told"} <= set(kinds)
    assert approval("audit", "show", head.split()[1]).output == result.output


def test_show_keeps_its_columns_whatever_happened(tasks, approval):
    approval("revoke", "--request", tasks[0])
    approval("revoke", "--lift", "--request", tasks[0])
    lines = approval("audit", "show", tasks[0]).output.splitlines()
    events = [line for line in lines if line[25:31] == " UTC  "]
    assert any(" links restored " in line for line in events)
    assert {line[45:47] for line in events} == {"  "}
    assert not any(line[47].isspace() for line in events)


def test_show_prints_nothing_that_a_terminal_obeys(tasks, approval):
    output = approval("audit", "show", tasks[0]).output
    assert "\x1b" not in output
    assert "fine \ufffd[2J" in output


def test_show_says_if_there_is_no_such_request(tasks, approval):
    result = approval("audit", "show", "unknown")
    assert result.exit_code == 1
    assert "unknown" in result.output


def test_show_says_if_the_request_was_changed(tasks, approval, change):
    change("UPDATE tasks SET decided_by = 'Eve' WHERE platform_task_id = ?", tasks[0])
    result = approval("audit", "show", tasks[0])
    assert result.exit_code == 1
    assert "decided_by or reason" in result.output
    assert approval("audit", "show", tasks[1]).exit_code == 0


def test_verify_prints_a_head_that_only_a_longer_trail_changes(tasks, approval):
    first, again = approval("audit", "verify"), approval("audit", "verify")
    assert first.exit_code == 0
    assert first.output == again.output
    assert first.output.splitlines()[1].startswith("head ")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE events SET kind = 'declined' WHERE kind = 'accepted'", "it was 'accepted'"),
        ("DELETE FROM events WHERE id = (SELECT max(id) FROM events)", "missing"),
        ("UPDATE approval_requests SET closed_at = NULL", "closed_at"),
    ],
)
def test_verify_names_what_was_changed_and_fails(tasks, approval, change, statement, words):
    change(statement)
    result = approval("audit", "verify")
    assert result.exit_code == 1
    assert words in result.output
    assert "head" not in result.output


@pytest.fixture
def keep(approval, tmp_path):
    """Keeps what a command prints in a file."""

    def keep(*words):
        file = tmp_path / "kept"
        file.write_bytes(approval(*words).output.encode())
        return str(file)

    return keep


KEPT = [
    ("audit", "verify"),
    ("audit", "export"),
    ("audit", "export", "--format", "csv"),
]


@pytest.mark.parametrize("words", KEPT)
def test_what_was_kept_agrees_with_an_untouched_store_even_when_it_has_grown(
    tasks, approval, keep, tmp_path, words
):
    file = keep(*words)
    with opened(File(tmp_path / "workflow.db")) as database, database.write() as session:
        [(request_id, _), *_] = trails.all_requests(session)
        trail.record(session, request_id, "told", "", NOW)
    result = approval("audit", "verify", "--against", file)
    assert result.output.startswith("intact")


@pytest.mark.parametrize("words", KEPT)
def test_a_trail_that_was_written_anew_as_a_whole_is_found_by_what_was_kept(
    tasks, approval, keep, words, tmp_path
):
    file = keep(*words)
    request = forge_last_request(tmp_path / "workflow.db")
    assert approval("audit", "verify").exit_code == 0
    result = approval("audit", "verify", "--against", file)
    assert result.exit_code == 1
    assert request in result.output or words == KEPT[0]


def forge_last_request(file):
    """Change who decided, and every hash that follows, as somebody who knows the code would."""
    with opened(File(file)) as database, database.read() as session:
        request_id, (request, _, events) = list(trails.all_requests(session))[-1]
    previous = chain.origin(request.id, request.platform, request.received_at)
    with closing(sqlite3.connect(file)) as connection, connection:
        for event in events:
            text = event.text.replace("Mona Manager", "Eve") if event.text else ""
            digest = chain.digest_of(event.salt, text)
            previous = chain.link(
                previous, request_id, event.position, event.at, event.kind, event.task_id, digest
            )
            connection.execute(
                "UPDATE events SET text = ?, digest = ?, hash = ? WHERE id = ?",
                (text, digest, previous, event.id),
            )
        for statement in (
            "UPDATE tasks SET decided_by = 'Eve' WHERE request_id = ?",
            "UPDATE approvers SET name = 'Eve' WHERE name = 'Mona Manager' AND request_id = ?",
        ):
            connection.execute(statement, (request_id,))
    return request_id


@pytest.mark.parametrize("text", ["", "no head at all", '{"id": 1}\n', "id,request_id\n1,2\n"])
def test_a_file_that_holds_nothing_to_compare_with_is_refused(tasks, approval, tmp_path, text):
    (tmp_path / "odd").write_text(text)
    result = approval("audit", "verify", "--against", str(tmp_path / "odd"))
    assert result.exit_code == 2
    assert "odd" in result.output


def test_both_formats_hold_the_same_events(tasks, approval):
    as_json = [json.loads(line) for line in approval("audit", "export").output.splitlines()]
    as_csv = list(
        csv.DictReader(approval("audit", "export", "--format", "csv").output.splitlines())
    )
    assert [event["hash"] for event in as_json] == [event["hash"] for event in as_csv]
    assert [event["id"] for event in as_json] == list(range(1, len(as_json) + 1))


@pytest.mark.parametrize(
    ("span", "some"),
    [(("--since", "2020-01-01"), True), (("--until", "2020-01-01"), False)],
)
def test_an_export_can_be_of_a_time(tasks, approval, span, some):
    assert bool(approval("audit", "export", *span).output) is some


def test_tables_of_another_version_are_told_with_their_cure(text, approval, tmp_path):
    write(tmp_path, text)
    stores.file(tmp_path / "workflow.db").change("UPDATE alembic_version SET version_num = '0001'")
    result = approval("audit", "verify")
    assert result.exit_code == 1
    assert "approval db upgrade" in result.output


@pytest.mark.parametrize(
    "words",
    [
        ["audit", "verify"],
        ["audit", "export"],
        ["redeliver"],
        ["reconcile"],
        ["revoke", "--person", "mona@acme.example"],
    ],
    ids=" ".join,
)
def test_where_nothing_was_kept_no_command_makes_a_store_but_says_so(
    text, approval, tmp_path, words
):
    write(tmp_path, text)
    result = approval(*words)
    assert result.exit_code == 1
    assert "workflow.db: there is no such file: no gate with these settings" in result.output
    assert not (tmp_path / "workflow.db").exists()


# `approval purge`.


@pytest.fixture
def aged(tasks, change, tmp_path):
    """A store whose first request ended long ago, and settings that purge after a year."""
    config = (tmp_path / "workflow.cfg").read_text("utf-8")
    (tmp_path / "workflow.cfg").write_text(f"{config}[policy]\npurge_after = 365 days\n", "utf-8")
    change(
        "UPDATE approval_requests SET closed_at = '2020-01-02 03:04:05.000000'"
        " WHERE id = (SELECT request_id FROM tasks WHERE platform_task_id = ?)",
        tasks[0],
    )
    return tasks


def test_a_dry_run_says_what_would_go_and_changes_nothing(aged, approval):
    before = approval("audit", "export").output
    result = approval("purge", "--dry-run")
    assert result.exit_code == 0
    assert result.output.startswith("1 requests and 0 machines from before ")
    assert approval("audit", "export").output == before


def test_purge_removes_what_is_personal_and_show_says_so(aged, approval):
    assert "purged 1 requests and 0 machines" in approval("purge").output
    shown = approval("audit", "show", aged[0]).output
    assert "Mona" not in shown
    assert "(purged)" in shown
    assert "Mona" in approval("audit", "show", aged[1]).output


def test_without_a_retention_nothing_is_purged_and_the_key_is_named(tasks, approval):
    result = approval("purge")
    assert result.exit_code == 2
    assert "[policy] purge_after" in result.output


def exported(tmp_path, output):
    """Export all to a program's end of a pipe or a file; returns the status and what is said."""
    command = [sys.executable, "-m", "approval", "audit", "export"]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment(), stdout=output, stderr=subprocess.PIPE, text=True
    )
    return ended.returncode, ended.stderr


def test_an_export_ends_quietly_when_its_reader_hangs_up(tasks, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    assert exported(tmp_path, writer) == (1, "")
    os.close(writer)


def test_an_export_says_when_the_disk_is_full(tasks, tmp_path):
    with Path("/dev/full").open("w") as full:
        status, said = exported(tmp_path, full)
    assert (status, said) == (1, "problem  not all was written: No space left on device\n")

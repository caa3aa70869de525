"""`approval db copy`: a gate moves to another database, and goes on there."""

import os
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import make_url

from approval.cli import copying
from approval.config import load
from approval.store import sqlite
from approval.store.migrate import upgrade
from bench.stock import fill_file
from tests import stores
from tests.cli.conftest import NOBODY, environment, reader_of, write
from tests.conftest import Site, free_port, served_gate, settings_text, wait_until
from tests.mails import Mails
from tests.stores import KEY, POSTGRESQL, SQLITE, File, opened


@dataclass(frozen=True)
class Moved:
    """A store as the settings name it that the command has told."""

    settings: str


@pytest.fixture
def hosted(tmp_path):
    """A PostgreSQL database without tables."""
    with stores.bare(tmp_path, of=POSTGRESQL) as store:
        yield store


@pytest.fixture
def source(text, tmp_path, approval):
    """A file with tables, which the settings name."""
    write(tmp_path, text)
    assert approval("db", "upgrade").exit_code == 0
    return File(tmp_path / "workflow.db")


def settings_of(told):
    """What the command told to write into the settings, as lines of [server]."""
    lines = told.output.partition("[server]:\n")[2].splitlines()
    return "".join(f"{line.strip()}\n" for line in lines if " = " in line)


def copy_keys(told):
    """Do what the command told to do with the keys."""
    [_, command] = told.output.split("the same keys beside the new file: ")
    subprocess.run(shlex.split(command), check=True)


@pytest.mark.parametrize("to", stores.KINDS)
@pytest.mark.parametrize("kind", stores.KINDS)
def test_an_open_request_goes_on_where_its_gate_has_moved(
    tmp_path, cloud, mailbox, approval, kind, to
):
    port, mails, text = free_port(), Mails(mailbox), settings_text(cloud, mailbox)
    with (
        stores.fresh(tmp_path, "workflow.db", of=kind) as before,
        stores.bare(tmp_path, "moved.db", of=to) as after,
    ):
        with served_gate(tmp_path, text, port, before) as gate:
            cloud.callback_url = f"{gate.url}/callback"
            site = Site(gate, cloud, mailbox, mails)
            [decided], [task] = site.deploy(), site.deploy()
            gate.press(site.mail(decided).link("accept"))
            link = site.mail(task).link("accept")
            site.settle()
        told = approval("db", "copy", before.url, after.url)
        assert told.exit_code == 0, told.output
        settings = settings_of(told)
        if kind == POSTGRESQL:
            assert "secret_key as it is" in told.output
            settings += f"secret_key = {KEY}\n"
        elif to == SQLITE:
            copy_keys(told)
        assert approval("audit", "verify").exit_code == 0
        with served_gate(tmp_path, text, port, Moved(settings)) as gate:
            assert gate.press(link).status_code == 200
            moved = Site(gate, cloud, mailbox, mails)
            moved.settle()
            assert moved.posts(task) == ["continue"]
            [new] = moved.deploy()
            assert moved.mail(new)
        assert "intact" in approval("audit", "verify").output


def test_the_key_is_told_by_its_place_and_a_second_time_nothing_is_done(source, hosted, approval):
    key = source.path.with_name("workflow.db.key")
    key.write_text("a" * 30)
    fill_file(source.path, 3)
    first = approval("db", "copy", "sqlite:///workflow.db", hosted.url)
    assert f"secret_key_file = {key}" in first.output
    assert "a" * 30 not in first.output
    again = approval("db", "copy", "sqlite:///workflow.db", hosted.url)
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert "was copied before, nothing was changed: 33 rows" in again.output
    assert settings_of(again) == settings_of(first)


def test_without_a_key_so_far_one_is_asked_for(source, hosted, approval):
    told = approval("db", "copy", "sqlite:///workflow.db", hosted.url)
    assert "secret_key, with PostgreSQL; there was none; make one with: " in told.output


def test_a_password_is_not_told_and_what_is_told_can_be_loaded(
    source, hosted, approval, text, tmp_path
):
    address = hosted.url.replace("postgres@", "postgres:sesame@")
    told = approval("db", "copy", source.url, address)
    assert told.exit_code == 0
    assert "sesame" not in told.output
    assert "database_password, with the password that is in TO" in told.output
    assert "~/.pgpass" in told.output
    settings = settings_of(told) + f"database_password = sesame\nsecret_key = {KEY}\n"
    write(tmp_path, f"{text}{settings}")
    assert load(tmp_path / "workflow.cfg", {}).database == make_url(address).render_as_string(False)


def test_nothing_is_copied_from_or_to_a_file_while_a_gate_serves_it(
    serve, text, approval, tmp_path
):
    serving = serve(text)
    here, other = "sqlite:///workflow.db", "sqlite:///other.db"
    with stores.fresh(tmp_path, "other.db", of=SQLITE):
        for addresses in ((here, other), (other, here)):
            told = approval("db", "copy", *addresses)
            assert told.exit_code == 1
            assert f"another gate serves {tmp_path}/workflow.db already; stop it" in told.output
        serving.end(signal.SIGKILL)
        assert approval("db", "copy", here, other).exit_code == 0


@pytest.mark.parametrize(
    ("addresses", "code", "said"),
    [
        (("oracle://x/y", "sqlite:///b.db"), 2, "only SQLite and PostgreSQL are supported"),
        (("sqlite:///workflow.db", "sqlite://"), 2, "names no file"),
        (("sqlite:///workflow.db", "sqlite:///b.db?timeout=9"), 2, "a file takes no options"),
        (("sqlite:///workflow.db", "postgresql:///b?password=sesame"), 2, "password after ? would"),
        (("sqlite:///workflow.cfg", "sqlite:///b.db"), 1, "a database; name another file"),
        (("sqlite:///workflow.db", "sqlite:///workflow.cfg"), 1, "a database; name another file"),
        (("sqlite:///missing.db", "sqlite:///b.db"), 1, "see that it is there"),
        (
            ("sqlite:///workflow.db", "postgresql://u:sesame@h:port/b"),
            2,
            "is no address of a database",
        ),
        (("sqlite:///workflow.db", "sqlite:///./workflow.db"), 2, "are the same database"),
        (("sqlite:///missing.db", "sqlite:///b.db"), 1, "FROM: sqlite:///"),
        (("sqlite:///workflow.db", "sqlite:////nowhere/b.db"), 1, "TO: sqlite:////nowhere/b.db"),
        (("sqlite:///workflow.db", "postgresql://:sesame@/b?host=/nowhere"), 1, "TO: postgresql:"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(source, approval, tmp_path, addresses, code, said):
    told = approval("db", "copy", *addresses)
    assert told.exit_code == code
    assert said in told.output
    assert "sesame" not in told.output
    assert "Traceback" not in told.output
    assert not (tmp_path / "missing.db").exists()


def test_a_source_of_another_version_is_told_with_its_cure(source, hosted, approval):
    source.change("UPDATE alembic_version SET version_num = '0006'")
    told = approval("db", "copy", source.url, hosted.url)
    assert told.exit_code == 1
    assert "of another version; run 'approval db upgrade'" in told.output


def test_an_account_that_may_not_make_tables_is_told(source, hosted, approval):
    role = f"guest_{hosted.name}"
    hosted.change(f"CREATE ROLE {role} LOGIN")
    try:
        told = approval("db", "copy", source.url, hosted.url.replace("postgres@", f"{role}@"))
    finally:
        hosted.change(f"DROP ROLE {role}")
    assert told.exit_code == 1
    assert "permission denied" in told.output
    assert told.output.startswith("problem  TO: postgresql://")
    assert "; name the account that owns the database and its tables\n" in told.output


def test_a_database_that_holds_something_else_is_told_with_what_to_do(source, tmp_path, approval):
    with stores.fresh(tmp_path, of=POSTGRESQL) as other:
        other.change("INSERT INTO wakes VALUES ('o', 's', now())")
        told = approval("db", "copy", source.url, other.url)
    assert told.exit_code == 1
    words = ": wakes o is not of the source; it is no copy of FROM; name an empty database\n"
    assert words in told.output
    assert f"problem  TO: {make_url(other.url)}: wakes" in told.output


def test_who_may_not_write_beside_the_source_is_told_what_to_do(folder, tmp_path):
    with stores.fresh(folder, "workflow.db", of=SQLITE) as source:
        told = r"FROM: .*/workflow.db: .*; see that .* with the -wal beside it, into a folder of"
        with reader_of(folder), pytest.raises(copying.Ended, match=told):
            copying.copy(source.url, f"sqlite:///{tmp_path}/b.db")


def test_who_may_not_write_the_target_is_told_what_to_do(folder):
    own = folder / "own"
    own.mkdir()
    with (
        stores.fresh(folder, "b.db", of=SQLITE) as target,
        stores.fresh(own, "a.db", of=SQLITE) as source,
    ):
        if os.geteuid() == 0:  # reader_of makes it readable to all
            os.chown(own, NOBODY, NOBODY)
            os.chown(source.path, NOBODY, NOBODY)
        told = r"TO: .*/b.db: .*; let this account write it and into its folder"
        with reader_of(folder):
            own.chmod(0o755)
            with pytest.raises(copying.Ended, match=told):
                copying.copy(source.url, target.url)


def test_root_makes_no_copy_that_the_account_of_the_gate_could_not_use(
    source, approval, tmp_path, monkeypatch
):
    if os.geteuid() == 0:
        os.chown(source.path, NOBODY, NOBODY)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    told = approval("db", "copy", source.url, "sqlite:///b.db")
    assert told.exit_code == 1
    assert f"sudo -u '#{source.path.stat().st_uid}' approval db copy" in told.output
    assert not (tmp_path / "b.db").exists()


def test_keys_in_the_settings_count_and_not_an_old_file_by_whatever_name(
    source, text, hosted, approval, tmp_path
):
    source.path.with_name("workflow.db.key").write_text("a" * 30)
    write(tmp_path, f"{text}secret_key = {KEY}\n")
    (tmp_path / "link.db").symlink_to(source.path)
    told = approval("db", "copy", "sqlite:///link.db", hosted.url)
    assert "secret_key as it is" in told.output
    assert ".key" not in told.output


def test_the_keys_of_a_file_that_is_named_by_a_link_are_those_of_the_gate(
    source, hosted, approval, tmp_path
):
    key = source.path.with_name("workflow.db.key")
    key.write_text("a" * 30)
    (tmp_path / "link.db").symlink_to(source.path)
    told = approval("db", "copy", "sqlite:///link.db", hosted.url)
    assert f"secret_key_file = {key}" in told.output


def test_a_password_that_a_file_has_not_is_to_be_removed(text, hosted, approval, tmp_path):
    with opened(hosted) as database:
        upgrade(database)
    write(tmp_path, f"{text}{hosted.settings}database_password = sesame\n")
    told = approval("db", "copy", hosted.url, "sqlite:///b.db")
    assert told.exit_code == 0
    assert "no database_password; remove it, for a file has none" in told.output


def test_a_full_disk_is_told_in_one_line_with_what_to_do(source, tmp_path, monkeypatch):
    fill_file(source.path, 300)
    monkeypatch.setattr(sqlite, "WRITING", (*sqlite.WRITING, "max_page_count=90"))
    told = (
        rf"^TO: sqlite:///{tmp_path}/b.db: database or disk is full; "
        "make room, then run the same again and it goes on$"
    )
    addresses = source.url, f"sqlite:///{tmp_path}/b.db"
    with pytest.raises(copying.Ended, match=told):
        copying.copy(*addresses)
    monkeypatch.undo()
    copying.copy(*addresses)


@pytest.mark.parametrize("side", ["FROM", "TO"])
def test_a_server_that_ends_connections_is_told_as_its_side_with_how_it_goes_on(
    source, tmp_path, monkeypatch, side
):
    with stores.fresh(tmp_path, of=POSTGRESQL) as server:
        done = copying._done

        def ends(step):
            if (step.doing, step.table) == ("verified", "jobs"):
                server.change(END_OTHERS)
            return done(step)

        monkeypatch.setattr(copying, "_done", ends)
        file = source.url if side == "TO" else f"sqlite:///{tmp_path}/b.db"
        addresses = (server.url, file) if side == "FROM" else (file, server.url)
        told = rf"^{side}: postgresql://.*; see to that, then run the same again and it goes on$"
        with pytest.raises(copying.Ended, match=told):
            copying.copy(*addresses)
        monkeypatch.undo()
        copying.copy(*addresses)


def test_half_a_copy_is_neither_checked_as_whole_nor_backed_up(source, approval, tmp_path):
    source.change("CREATE TABLE unfinished_copy (begun INTEGER)")
    part = "holds a part of a copy; run the same 'approval db copy' again\n"
    assert f"[server] database: {source.path} {part}" in approval("check").output
    refused = approval("db", "backup", str(tmp_path / "kept"))
    assert refused.exit_code == 1
    assert f"{source.path} {part}" in refused.output
    assert list((tmp_path / "kept").iterdir()) == []


def test_half_a_copy_on_a_server_is_checked_as_such(text, hosted, approval, tmp_path):
    with opened(hosted) as database:
        upgrade(database)
    hosted.change("CREATE TABLE unfinished_copy (begun INTEGER)")
    write(tmp_path, f"{text}{hosted.settings}")
    part = "holds a part of a copy; run the same 'approval db copy' again\n"
    assert f"[server] database: {make_url(hosted.url)} {part}" in approval("check").output


STILL = """
CREATE FUNCTION still() RETURNS trigger LANGUAGE plpgsql
AS 'BEGIN PERFORM pg_sleep(600); RETURN NEW; END';
CREATE TRIGGER still BEFORE INSERT ON events EXECUTE FUNCTION still();
"""
END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
def interruptible():
    """Children can be interrupted, although who runs in the background ignores that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_copy_that_was_killed_is_finished_by_the_next(source, text, tmp_path, approval, how):
    fill_file(source.path, 60)
    words = [sys.executable, "-m", "approval", "db", "copy", "--config", "workflow.cfg"]
    python_path = {"PYTHONPATH": str(Path(__file__).parents[2])}
    with stores.fresh(tmp_path, of=POSTGRESQL) as target:
        target.change(STILL)
        with subprocess.Popen(
            [*words, source.url, target.url],
            cwd=tmp_path,
            env=environment() | python_path,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                wait_until(lambda: target.rows("SELECT * FROM approvers"), timeout=60)
                process.send_signal(how)
                said = process.communicate(timeout=60)[1].decode()
            finally:
                process.kill()
        cure = "problem  interrupted; run the same again and it goes on\n"
        assert said.endswith(cure) == (how == signal.SIGINT)
        target.change(END_OTHERS)
        target.change("DROP FUNCTION still CASCADE")
        write(tmp_path, f"{text}{target.settings}")
        refused = approval("audit", "verify")
        assert refused.exit_code == 1
        assert "run the same 'approval db copy' again" in refused.output
        told = approval("db", "copy", source.url, target.url)
        assert told.exit_code == 0
        assert "copied: 660 rows, each compared" in told.output

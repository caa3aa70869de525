"""`approval db copy`: two addresses, a copy between them, and whose trouble ends it."""

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import click
from sqlalchemy import make_url

from approval.config import storing
from approval.store import migrate, resting
from approval.store.comparing import Differs
from approval.store.copying import AtSource, Copy, NotCopied, Step
from approval.store.database import Database, StoreDown
from approval.store.plain import Unreadable

UPGRADE = (
    "its tables are of another version; run 'approval db upgrade' with settings that name it, "
    "after a backup"
)
AGAIN = "run the same again and it goes on"
ROOM = f"make room, then {AGAIN}"
APART = (
    "see that it is there; if this account may not write into its folder, copy it, with the -wal "
    "beside it, into a folder of its own first"
)
WRITE = "let this account write it and into its folder, or name another file"
# By what a server says in every language, and by what SQLite gives a number.
CURES: dict[str | int, str] = {
    "42501": "name the account that owns the database and its tables",  # lacks rights
    "53100": ROOM,
    sqlite3.SQLITE_FULL: ROOM,
    sqlite3.SQLITE_NOTADB: "name another file",
}
OF_SIDE: dict[str, dict[str | int, str]] = {
    "FROM": CURES | dict.fromkeys((sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN), APART),
    "TO": CURES | dict.fromkeys((sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN), WRITE),
}
OF_TARGET = (StoreDown, resting.InUse, NotCopied, Differs, Unreadable)
TROUBLES = {"TO": OF_TARGET, "FROM": (*OF_TARGET, AtSource)}  # TO is let go of first


class Ended(Exception):
    """Raised if a copy did not get to its end; says why, on which side, and what to do."""


def address(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """A database as `[server] database` names it."""
    try:
        checked = storing.checked(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if make_url(checked).password:
        click.echo(
            f"warning  {parameter.human_readable_name}: whoever can list processes here reads its "
            "password; leave it out and let ~/.pgpass hold it",
            err=True,
        )
    return checked


def copy(source: str, target: str) -> tuple[dict[str, int], bool]:
    """Copy, and show how far it is. Raises Ended.

    Returns how many rows of each table are there, and whether they all were before.
    """
    _see_account(source, target)
    with ExitStack() as held:
        held.enter_context(_told("FROM", source))
        from_ = held.enter_context(closing(Database(source, patient=True, untouched=True)))
        if not migrate.is_current(from_):
            raise StoreDown(UPGRADE)
        held.enter_context(resting.alone(storing.file_of(source)))
        session = held.enter_context(resting.standing(from_))
        held.enter_context(_told("TO", target))
        held.enter_context(resting.alone(storing.file_of(target)))
        guard = held.enter_context(closing(Database(target, patient=True)))
        look = held.enter_context(resting.kept(guard))
        to = held.enter_context(closing(Database(target, patient=True)))
        work = Copy(session, to, look)
        return {step.table: _done(step) for step in work.steps()}, work.was_there


def _see_account(source: str, target: str) -> None:
    """See that the gate can use what is made, which nobody but who makes it can. Raises Ended."""
    if os.geteuid():
        return
    files = [file for file in map(storing.file_of, (source, target)) if file]
    found = [path for path in (*files, *(file.parent for file in files)) if path.exists()]
    if found and (owner := found[0].stat().st_uid):
        raise Ended(
            f"{found[0]} is of another account, which could not use what root makes; run this as "
            f"that account: sudo -u '#{owner}' approval db copy, with the same words"
        )


def _done(step: Step) -> int:
    if not step.rows:
        return sum(step.batches)
    label = f"{step.doing:8} {step.table}"
    with click.progressbar(length=step.rows, label=label, file=sys.stderr) as bar:
        for rows in step.batches:
            bar.update(rows)
    return step.rows


@contextmanager
def _told(side: str, database: str) -> Iterator[None]:
    """Say on which side it is, also what shows only when that is let go of, and what to do."""
    try:
        yield
    except TROUBLES[side] as error:
        shown = storing.shown(database)
        cure = _cure(side, error)
        raise Ended(f"{side}: {shown}: {error}{cure and f'; {cure}'}") from error


def _cure(side: str, error: BaseException) -> str:
    """What to do, if the error does not say so itself."""
    if isinstance(error, Differs):
        return "it is no copy of FROM; name an empty database"
    if isinstance(error.__cause__, PermissionError):
        return OF_SIDE[side][sqlite3.SQLITE_READONLY]
    cause: BaseException | None = error
    while cause and not hasattr(cause, "orig"):
        cause = cause.__cause__
    if cause is None:
        return ""
    told = getattr(cause, "orig", None)
    code = getattr(told, "sqlstate", None) or getattr(told, "sqlite_errorcode", 0) & 0xFF
    return OF_SIDE[side].get(code, f"see to that, then {AGAIN}")

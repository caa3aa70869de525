"""A copy of a SQLite store that serves, as it stands at one moment."""

import sqlite3
from contextlib import closing
from pathlib import Path

from approval.store import migrate

_is_part = "SELECT 1 FROM sqlite_master WHERE name = ?"


class BackupFailed(Exception):
    """Raised if no sound copy could be made; nothing is left of it."""


def back_up(file: Path, to: Path) -> None:
    """Copy the store, whoever reads and writes it meanwhile, and check the copy.

    A plain copy of the file would lack what still lies in its write-ahead log. Raises
    BackupFailed, also if there is a file of that name already, or the store is a part of a copy.
    """
    draft = to.with_name(f"{to.name}.part")
    try:
        if to.exists():
            raise BackupFailed(f"{to} is there already; name another folder")
        draft.unlink(missing_ok=True)
        _copy(file, draft)
        draft.rename(to)
    except (OSError, sqlite3.Error) as error:
        draft.unlink(missing_ok=True)
        raise BackupFailed(f"{to}: {error}") from error


def _copy(file: Path, draft: Path) -> None:
    with (
        closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)) as source,
        closing(sqlite3.connect(draft)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # all of it in this one file
        [found] = copy.execute("PRAGMA quick_check(1)").fetchone()
        part = copy.execute(_is_part, [migrate.UNFINISHED]).fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(found)
    if part:
        raise sqlite3.DatabaseError(f"{file} {migrate.PART}")

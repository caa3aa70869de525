"""Where the gate keeps everything: a SQLite file of its own, or a PostgreSQL database."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from approval.config.values import CURE
from approval.findings import Finding, problem, warning
from approval.section import Rules, is_loopback

if TYPE_CHECKING:
    from approval.config.sections import Server

SQLITE, POSTGRESQL = "sqlite", "postgresql"
FILES = "sqlite:///"
FILE, DATABASE = "sqlite:///workflow.db", "postgresql://gate@db.example.com/approval"
SHOWN = {"password", "sslpassword"}  # secrets where the address is not hidden
SAFE = {"require", "verify-ca", "verify-full"}


def checked(value: str) -> str:
    """The address of a store; raises ValueError with a cure, and without what may be a password."""
    kind, colon, rest = value.partition("://")
    if not colon or kind not in (SQLITE, POSTGRESQL, "postgres"):
        raise ValueError(f"only SQLite and PostgreSQL are supported; write {FILE} or {DATABASE}")
    if kind == SQLITE:
        if not value.startswith(FILES) or value == FILES:
            raise ValueError(f"names no file; write it as {FILE}")
        if "?" in value:  # else one file had many names, and each a lock of its own
            raise ValueError(f"a file takes no options; leave out all from ? on, as in {FILE}")
        return value
    url = _parsed(f"{POSTGRESQL}://{rest}")
    if not url.database:
        raise ValueError(f"names no database; write it as {DATABASE}")
    for key in SHOWN & url.query.keys():
        raise ValueError(
            f"{key} after ? would be shown with the address; leave it out there: the gate's own "
            "password is database_password or lies in ~/.pgpass, and a key of TLS is to have none"
        )
    return url.render_as_string(hide_password=False)


def _parsed(value: str) -> URL:
    try:
        return make_url(value)
    except (ArgumentError, ValueError):
        raise ValueError(
            f"is no address of a database; write it as {DATABASE}, with signs other than letters "
            "and digits in names and passwords as %40 for @"
        ) from None


def address(server: "Server", folder: Path) -> str:
    """The whole address, with the password; a relative SQLite file lies in `folder`."""
    if is_file(server):
        return placed(server.database, folder)
    url = make_url(server.database)
    if server.database_password:
        url = url.set(password=server.database_password.get_secret_value())
    return url.render_as_string(hide_password=False)


def shown(database: str) -> str:
    """The address without its password, which is shown as ***."""
    return make_url(database).render_as_string()


def placed(database: str, folder: Path) -> str:
    """The address of a store whose file, if it is a relative one, lies in `folder`."""
    file = file_of(database)
    return f"{FILES}{folder / file}" if file else database


def file_of(database: str) -> Path | None:
    """The SQLite file, if it is one."""
    return Path(database.removeprefix(FILES)) if database.startswith(FILES) else None


def is_file(server: "Server") -> bool:
    """Whether it is a file, which one process has for itself."""
    return server.database.startswith(SQLITE)


def rules(server: "Server") -> Rules:
    """What does not go together, or should not stay as it is."""
    return _one_password(server), _common_keys(server), _in_clear_text(server)


def _one_password(server: "Server") -> Iterator[Finding]:
    if not server.database_password:
        return
    if is_file(server):
        yield problem(
            "database_password: a SQLite file has none; leave it out, or name a database as "
            f"{DATABASE}"
        )
    elif make_url(server.database).password:
        yield problem("database_password: database names a password too; leave one of them out")


def _common_keys(server: "Server") -> Iterator[Finding]:
    if not is_file(server) and not server.secret_key:
        yield problem(
            "secret_key: is required with PostgreSQL, so that all gates sign links with the same "
            f"key; {CURE}; for a gate that was moved by 'approval db copy' name the file with its "
            "keys, as that told (secret_key_file), or links in mails end"
        )


def _in_clear_text(server: "Server") -> Iterator[Finding]:
    if is_file(server):
        return
    url = make_url(server.database)
    if url.host and not is_loopback(url.host) and url.query.get("sslmode") not in SAFE:
        yield warning(
            f"database: what the gate keeps may travel to {url.host} in clear text; append "
            "?sslmode=verify-full"
        )

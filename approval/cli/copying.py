"""`approval db copy`: two addresses, a copy between them, and what to write into the settings."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import click
from sqlalchemy import make_url

from approval.cli.keys import beside
from approval.config import Config, storing
from approval.config.values import CURE
from approval.store import migrate, resting
from approval.store.copying import Copy, Differs, NotCopied, Step
from approval.store.database import Database, StoreDown
from approval.store.plain import Unreadable

NOT_COPIED = (NotCopied, Unreadable, resting.InUse, StoreDown, OSError)
UPGRADE = (
    "its tables are of another version; run 'approval db upgrade' with settings that name it, "
    "after a backup"
)

NO_RIGHTS = "42501"  # in every language that a server may speak
OWNER = "name the account that owns the database and its tables"


def address(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """A database as `[server] database` names it."""
    try:
        return storing.checked(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def place(config: Config, database: str) -> str:
    """The whole address, as if the settings named it."""
    if database == config.server.database:
        return config.database
    return storing.placed(database, config.file.parent.resolve())


def is_same(one: str, other: str) -> bool:
    """Whether two addresses name the same store; not all such pairs can be told by their looks."""
    files = storing.file_of(one), storing.file_of(other)
    if files[0] and files[1] and files[0].exists() and files[1].exists():
        return files[0].samefile(files[1])
    return one == other


def copy(source: str, target: str) -> tuple[dict[str, int], bool]:
    """Copy, and show how far it is. Raises what NOT_COPIED names.

    Returns how many rows of each table are there, and whether they all were before.
    """
    with ExitStack() as held:
        with _named("FROM", source):
            from_ = held.enter_context(closing(Database(source, patient=True, untouched=True)))
            if not migrate.is_current(from_):
                raise StoreDown(UPGRADE)
            held.enter_context(resting.alone(storing.file_of(source)))
            session = held.enter_context(resting.standing(from_))
        with _named("TO", target):
            held.enter_context(resting.alone(storing.file_of(target)))
            guard = held.enter_context(closing(Database(target, patient=True)))
            look = held.enter_context(resting.kept(guard))
            to = held.enter_context(closing(Database(target, patient=True)))
        work = Copy(session, to, look)
        with _cured():
            rows = {step.table: _done(step) for step in work.steps()}
    return rows, work.was_there


def _done(step: Step) -> int:
    if not step.rows:
        return sum(step.batches)
    label = f"{step.doing:8} {step.table}"
    with click.progressbar(length=step.rows, label=label, file=sys.stderr) as bar:
        for rows in step.batches:
            bar.update(rows)
    return step.rows


def advice(config: Config, source: str, target: str) -> Iterator[str]:
    """What to write into the settings, so that a gate goes on with the copy."""
    url = make_url(target)
    yield f"database = {url.set(password=None).render_as_string()}"
    if url.password:
        yield "database_password = the one in TO"
    yield _key(config, source)


def _key(config: Config, source: str) -> str:
    """How links in mails that are out go on working."""
    served = config.database == source
    if served and config.server.secret_key:
        return "secret_key as it is, so that links in mails go on working"
    file = storing.file_of(source)
    keys = beside(file) if file else None
    if keys and keys.exists():
        return f"secret_key_file = {keys}"
    if served:
        return f"secret_key, with PostgreSQL; there was none; {CURE}"
    return "secret_key as in the settings of FROM, so that links in mails go on working"


@contextmanager
def _named(name: str, database: str) -> Iterator[None]:
    """Say which of the two it is."""
    try:
        yield
    except (StoreDown, resting.InUse) as error:
        shown = make_url(database).render_as_string()  # without the password
        cure = f"; {OWNER}" if _lacks_rights(error) else ""
        raise StoreDown(f"{name}: {shown}: {error}{cure}") from error


@contextmanager
def _cured() -> Iterator[None]:
    """Say what to do when it does not get to its end."""
    try:
        yield
    except Differs as error:
        raise NotCopied(f"TO is no copy of FROM: {error}; name an empty database") from error
    except StoreDown as error:
        cure = OWNER if _lacks_rights(error) else "run the same again and it goes on"
        raise StoreDown(f"{error}; {cure}") from error


def _lacks_rights(error: Exception) -> bool:
    told = getattr(error.__cause__, "orig", None)
    return getattr(told, "sqlstate", None) == NO_RIGHTS

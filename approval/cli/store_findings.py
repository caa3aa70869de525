"""Whether the store can be used as it is, and the keys that sign links with it."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from approval.cli.keys import KeyBroken, key_file, marks
from approval.cli.losses import lost_links
from approval.clock import utc_now
from approval.config import Config
from approval.findings import Finding, ok, problem, warning
from approval.store import leases
from approval.store.database import DRIVER, Database, StoreDown
from approval.store.migrate import Unfinished, is_current, is_empty

Tables = Callable[[Config, str, Database], Iterator[Finding]]
APART = timedelta(seconds=5)  # clocks


def store_findings(config: Config) -> Iterator[Finding]:
    """What is found out about it; it is left as it was."""
    if file := config.database_file:
        yield from _file(config, file)
    else:
        yield from _looked_into(config, config.shown_database, _tables_of_server)


def laid_open(file: Path) -> Iterator[str]:
    """Whether everybody on the machine can read a file that holds secrets."""
    if file.stat().st_mode & stat.S_IROTH:
        yield f"{file} can be read by everybody on this machine; chmod o= {file}"


def _file(config: Config, file: Path) -> Iterator[Finding]:
    if wrong := _out_of_reach(file):
        yield problem(f"database: {wrong}")
        return
    keys = key_file(config)
    for text in laid_open(keys) if keys else ():
        yield warning(f"secret_key: {text}")
    try:
        marks(config)
    except KeyBroken as error:
        yield problem(f"secret_key: {error}")
        return
    if not file.exists() or file.stat().st_size == 0:
        yield _half_a_backup(file, keys) if keys else ok(f"{file} will be set up by approval serve")
        return
    yield from _looked_into(config, str(file), _tables_of_file)


def _looked_into(config: Config, name: str, tables: Tables) -> Iterator[Finding]:
    """What is found in the database of this name, or why nobody can look."""
    try:
        with closing(Database(config.database)) as database:
            yield from tables(config, name, database)
    except Unfinished as error:
        yield problem(f"database: {name} {error}")
    except StoreDown as error:
        yield problem(f"database: {name} {_unusable(config, str(error))}")


def _unusable(config: Config, why: str) -> str:
    if config.database_file:
        return f"is not what a gate keeps ({why}); name another"
    if DRIVER in why:  # which says what to do
        return f"cannot be used ({why})"
    cure = "see that the server runs, lets this account in, and knows name and password"
    return f"cannot be used ({why}); {cure}"


def _tables_of_file(config: Config, name: str, database: Database) -> Iterator[Finding]:
    current = is_current(database)
    keys = key_file(config)
    if keys and is_empty(database):
        yield _half_a_backup(Path(name), keys)
        return
    if current and (lost := lost_links(config, database)):
        yield warning(f"secret_key: {lost}")
    yield ok(f"{name} {'is up to date' if current else 'will be set up by approval serve'}")


def _half_a_backup(file: Path, keys: Path) -> Finding:
    return warning(
        f"database: {keys} is there, but nothing is in {file}; if this is a backup, it lacks "
        "the database: 'approval db backup' copies both, also while the gate serves"
    )


def _out_of_reach(file: Path) -> str | None:
    """Why the gate could not write the file and what lies beside it."""
    try:
        if not file.parent.is_dir():
            return f"there is no folder {file.parent}; make it, or name another"
    except PermissionError:
        return f"the gate may not enter the folders of {file}; let its account do so"
    if not os.access(file.parent, os.W_OK | os.X_OK):
        return f"the gate has to write into {file.parent}; let its account do so"
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        return f"the gate has to write {file}; let its account do so"
    return None


def _tables_of_server(config: Config, name: str, database: Database) -> Iterator[Finding]:
    if not is_current(database):
        yield problem(
            f"database: {name} has not the tables of this version; run "
            f"'approval db upgrade --config {config.file}'"
        )
        return
    with database.read() as session:
        apart = abs(leases.now(session) - utc_now())
    if apart > APART:
        yield warning(
            f"database: the clock of {name} and that of this machine are "
            f"{apart.total_seconds():.0f} s apart; let NTP set both, else work waits that much"
        )
    if lost := lost_links(config, database):
        yield warning(f"secret_key: {lost}")
    yield ok(f"{name} is up to date")

"""What to write into the settings, so that a gate goes on with a copy of its store."""

from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from sqlalchemy import make_url

from approval.cli.keys import beside
from approval.config import Config, storing
from approval.config.values import CURE


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


def advice(config: Config, source: str, target: str) -> Iterator[str]:
    """What to write, for [server]."""
    url, file = make_url(target), storing.file_of(target)
    yield f"database = {url._replace(password=None).render_as_string()}"
    if url.password:
        yield "database_password, with the password that is in TO"
    elif file and config.server.database_password:
        yield "no database_password; remove it, for a file has none"
    yield _keys(config, source, file)


def _keys(config: Config, source: str, new: Path | None) -> str:
    """How links in mails that are out go on working."""
    served = is_same(config.database, source)
    if config.server.secret_key and served:
        return "secret_key as it is, so that links in mails go on working"
    file = config.database_file if served else storing.file_of(source)
    keys = beside(file) if file and not config.server.secret_key else None
    if keys and keys.exists():
        if new:  # where the gate looks for them, and 'approval keys' and a backup do
            copied = f"cp -p {quote(str(keys))} {quote(str(beside(new)))}"
            return f"no secret_key, but the same keys beside the new file: {copied}"
        return f"secret_key_file = {keys}"
    if not served:
        return "secret_key as in the settings of FROM, so that links in mails go on working"
    if new:
        return "no secret_key, as before; the gate makes keys beside its file"
    return f"secret_key, with PostgreSQL; there was none; {CURE}"

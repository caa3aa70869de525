"""`approval check`: every mistake at once, and one try of store, platform and mail server."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing

import click

from approval import samples
from approval.cli.assembly import build_platform, build_templates, build_transport, database_file
from approval.config import Config
from approval.failures import Failure
from approval.rendering import TemplateError, Templates
from approval.store.database import Database, StoreDown
from approval.store.migrate import is_current


def check(config: Config) -> bool:
    """Print what was found; says whether all is well."""
    for warning in config.warnings:
        click.echo(f"warning  {warning}")
    platform = build_platform(config)
    transport = build_transport(config)
    problems = dict.fromkeys(_broken(build_templates(config, platform)))
    with closing(transport):
        results = [
            _try("store", lambda: _store(config)),
            _try(platform.name, platform.check),
            _try("mail", transport.check),
            *[_say("templates", problem) for problem in problems],
        ]
    return all(results)


def _store(config: Config) -> str:
    file = database_file(config)
    if not file.exists():
        if not os.access(file.parent, os.W_OK):
            raise StoreDown(f"[server] database: {file.parent} is no folder to write into")
        return f"{file} will be set up by approval serve"
    database = Database(config.database)
    try:
        current = is_current(database)
    finally:
        database.close()
    return f"{config.database} {'is up to date' if current else 'will be set up by approval serve'}"


def _try(name: str, attempt: Callable[[], str]) -> bool:
    try:
        click.echo(f"ok       {name}: {attempt()}")
    except (Failure, StoreDown) as error:
        return _say(name, str(error))
    return True


def _say(name: str, problem: str) -> bool:
    click.echo(f"problem  {name}: {problem}")
    return False


def _broken(templates: Templates) -> Iterator[str]:
    """What is wrong with templates, each rendered with a sample."""
    for name, context in samples.renderings():
        try:
            templates.render(name, **context)
        except TemplateError as error:
            yield str(error)

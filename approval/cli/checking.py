"""`approval check`: every mistake at once, and one try of store, platform and mail server."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path

import click

from approval import samples
from approval.cli import binding
from approval.cli.binding import NotBound
from approval.cli.completeness import lacks
from approval.cli.keys import KeyBroken, key_file, marks
from approval.cli.losses import lost_links
from approval.cli.parts import build_platform, build_templates, build_transport
from approval.clock import utc_now
from approval.config import Config, Examined
from approval.findings import Finding, Level, ok, problem, warning
from approval.mail.checking import check as check_mail
from approval.nearest import did_you_mean
from approval.rendering import TemplateError, Templates
from approval.store import leases
from approval.store.database import DRIVER, Database, StoreDown
from approval.store.migrate import Unfinished, is_current, is_empty

APART = timedelta(seconds=5)  # clocks


def check(found: Examined) -> bool:
    """Print what is wrong and what was tried; says whether all that was tried is well."""
    config = found.config
    for text in found.problems:
        click.echo(f"{Level.PROBLEM:8} {text}")
    for text in (*config.warnings, *_laid_open(config)):
        click.echo(f"{Level.WARNING:8} {text}")
    return all([_try(part, found) for part in _parts(config)])


@dataclass(frozen=True)
class Part:
    """What can be tried: by the first of its sections what is wrong with it can be mended."""

    name: str
    sections: tuple[str, ...]
    findings: Callable[[Config], list[Finding]]


def _parts(config: Config) -> Iterator[Part]:
    platform = config.platform_name
    yield Part("address", ("server",), _address)
    yield Part("store", ("server",), _store)
    yield Part(platform, (platform,), _platform)
    yield Part("mail", ("mail",), _mail)
    yield Part("templates", ("server", platform), _templates)
    yield Part("temporal", ("temporal", "engine"), _temporal)


def _try(part: Part, found: Examined) -> bool:
    """Print what is found about a part, unless its settings are wrong."""
    if wrong := [f"[{section}]" for section in part.sections if section in found.wrong]:
        click.echo(f"left out {part.name}: mend {' and '.join(wrong)} first")
        return True
    findings = part.findings(found.config)
    for finding in findings:
        place = f"{part.name}: " if finding.level is Level.OK else f"[{part.sections[0]}] "
        click.echo(f"{finding.level:8} {place}{finding.text}")
    return all(finding.level is not Level.PROBLEM for finding in findings)


def _laid_open(config: Config) -> Iterator[str]:
    """Which of the gate's own files with secrets everybody on the machine can read."""
    for file in filter(None, (config.file, key_file(config))):
        if file.stat().st_mode & stat.S_IROTH:
            yield f"{file} can be read by everybody on this machine; chmod o= {file}"


def _address(config: Config) -> list[Finding]:
    """Whether the gate can listen; nothing is said if it can."""
    try:
        binding.try_out(config)
    except NotBound as error:
        if error.taken and binding.gate_answers(config):
            return [warning(f"{error}, unless the gate that answers there is this one")]
        return [problem(str(error))]
    return []


def _store(config: Config) -> list[Finding]:
    file = config.database_file
    return [_server(config) if file is None else _file(config, file)]


def _file(config: Config, file: Path) -> Finding:
    if wrong := _out_of_reach(file):
        return problem(f"database: {wrong}")
    try:
        marks(config)
    except KeyBroken as error:
        return problem(f"secret_key: {error}")
    current, empty, lost = False, True, None
    if file.exists():
        with closing(Database(config.database)) as database:
            try:
                current, empty = is_current(database), is_empty(database)
                lost = lost_links(config, database) if current else None
            except Unfinished as error:
                return problem(f"database: {file} {error}")
            except StoreDown as error:
                return problem(f"database: {file} is not what a gate keeps ({error}); name another")
    keys = key_file(config)
    if empty and keys:
        return warning(
            f"database: {keys} is there, but nothing is in {file}; if this is a backup, it lacks "
            "the database: 'approval db backup' copies both, also while the gate serves"
        )
    if lost:
        return warning(f"secret_key: {lost}")
    return ok(f"{file} {'is up to date' if current else 'will be set up by approval serve'}")


def _server(config: Config) -> Finding:
    shown = config.shown_database
    try:
        with closing(Database(config.database)) as database:
            current = is_current(database)
            with database.read() as session:
                apart = abs(leases.now(session) - utc_now())
            lost = lost_links(config, database) if current else None
    except Unfinished as error:
        return problem(f"database: {shown} {error}")
    except StoreDown as error:
        cure = "see that the server runs, lets this account in, and knows name and password"
        return problem(
            f"database: {shown} cannot be used ({error})"
            + ("" if DRIVER in str(error) else f"; {cure}")
        )
    if not current:
        return problem(
            f"database: {shown} has not the tables of this version; run "
            f"'approval db upgrade --config {config.file}'"
        )
    if apart > APART:
        return warning(
            f"database: the clock of {shown} and that of this machine are "
            f"{apart.total_seconds():.0f} s apart; let NTP set both, else work waits that much"
        )
    if lost:
        return warning(f"secret_key: {lost}")
    return ok(f"{shown} is up to date")


def _out_of_reach(file: Path) -> str | None:
    """Why the gate could not write the file and what lies beside it."""
    if not file.parent.is_dir():
        return f"there is no folder {file.parent}; make it, or name another"
    if not os.access(file.parent, os.W_OK | os.X_OK):
        return f"the gate has to write into {file.parent}; let its account do so"
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        return f"the gate has to write {file}; let its account do so"
    return None


def _platform(config: Config) -> list[Finding]:
    with closing(build_platform(config)) as platform:
        return platform.check()


def _mail(config: Config) -> list[Finding]:
    sender, operator = config.mail.sender, config.mail.operator
    with closing(build_transport(config)) as smtp:
        return check_mail(smtp, parseaddr(sender)[1], parseaddr(operator or "")[1] or None)


def _temporal(config: Config) -> list[Finding]:
    if config.engine.kind != "temporal":
        return []
    from approval.engine.temporal.checking import check as check_temporal

    return check_temporal(config.temporal)


def _templates(config: Config) -> list[Finding]:
    with closing(build_platform(config)) as platform:
        templates = build_templates(config, platform)
    idle = [
        warning(f"templates: {name} replaces nothing{did_you_mean(name, templates.built_in)}")
        for name in templates.idle()
    ]
    return [
        *idle,
        *(problem(f"templates: {broken}") for broken in dict.fromkeys(_broken(templates))),
    ]


def _broken(templates: Templates) -> Iterator[str]:
    """What is wrong with templates, each rendered with a sample."""
    for name, context in samples.renderings():
        try:
            text = templates.render(name, **context)
        except TemplateError as error:
            yield str(error)
        else:
            yield from (f"{name} {lack}" for lack in lacks(name, context, text))

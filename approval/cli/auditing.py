"""`approval audit`: show a request's trail, export all of it, find out whether it is whole."""

import errno
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import chain as together
from pathlib import Path

import click

from approval.audit import Event, export, inspect
from approval.audit.export import NotAnExport
from approval.cli.opening import load_config, open_current, settings_option
from approval.gate.audit import Head, complete_up_to, differences, faults, gaps, head
from approval.store import audit as trails
from approval.store import tasks
from approval.store.session import Session

HEAD = re.compile(r"\b(\d+):([0-9a-f]{64})\b")
PAUSE = 0.05  # seconds between looks whether others have committed
KIND = 14  # letters of the longest kind of event: "links restored"
FORMATS = {"jsonl": export.jsonl, "csv": export.comma_separated}
moment = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def audit() -> None:
    """Read the audit trail, and find out whether it is whole."""


@audit.command()
@settings_option
@click.argument("request")
def show(file: Path, request: str) -> None:
    """Print what happened to REQUEST, its id or that of a task."""
    config = load_config(file)
    with open_current(config, reading=True) as database, database.read() as session:
        named = tasks.find(session, config.platform_name, request)
        subject, own, events = trails.whole(session, named[0] if named else request)
    if subject is None:
        click.echo(f"problem  no request and no task has the id {request}", err=True)
        sys.exit(1)
    click.echo(f"request {subject.id} of {subject.platform}")
    for task in own:
        click.echo(f"  {_printable(task.what.partition(', sha256 ')[0])}")
    for event in events:
        of = f"task {event.task_id}: " if event.task_id is not None else ""
        text = "(purged)" if event.text is None else _printable(event.text)
        at = f"{event.at:%Y-%m-%d %H:%M:%S} UTC"
        click.echo(f"{event.position:4}  {at}  {event.kind:{KIND}}  {of}{text}")
    _end(str(fault) for fault in inspect(subject, own, events))
    click.echo("intact")


@audit.command("export")
@settings_option
@click.option("--since", type=moment, help="From this time on, in UTC.")
@click.option("--until", type=moment, help="Before this time, in UTC.")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="jsonl")
def export_(file: Path, since: datetime | None, until: datetime | None, form: str) -> None:
    """Print every event with its hash, one a line, oldest first."""
    with (
        open_current(load_config(file), reading=True) as database,
        database.read() as session,
        closing(trails.stream(session, _utc(since), _utc(until))) as events,
    ):
        _print(FORMATS[form](events))


def _print(lines: Iterable[str]) -> None:
    """Print all, or end with the reason; who reads may hang up."""
    try:
        for line in lines:
            click.echo(line, nl=False, color=True)  # as it is: without, escapes are taken out
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is left of it
        if error.errno != errno.EPIPE:
            click.echo(f"problem  not all was written: {error.strerror}", err=True)
        sys.exit(1)


@audit.command()
@settings_option
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An export, or what 'verify' printed before, kept where the gate cannot write.",
)
def verify(file: Path, against: Path | None) -> None:
    """Find what was changed, removed, inserted or moved.

    Prints a head. It stands for all events up to now. Keep it elsewhere: with --against it shows
    later that none of them was touched meanwhile, not even by somebody who wrote all hashes anew.
    """
    with open_current(load_config(file), reading=True) as database:
        last = complete_up_to(database, lambda: time.sleep(PAUSE))
        with database.read() as session:
            try:
                _end(together(map(str, faults(session)), gaps(session), _against(session, against)))
            except NotAnExport as error:
                raise click.UsageError(f"{against}: {error}") from error
            current = head(session, last=last)
    click.echo(f"intact: {current.events} events")
    click.echo(f"head {current}")


def _against(session: Session, file: Path | None) -> Iterator[str]:
    """How the store differs from what was kept."""
    if file is None:
        return
    with file.open(encoding="utf-8", newline="") as lines:
        first = lines.readline()
        if first.startswith(("{", "id,")):
            yield from map(str, differences(session, _kept(first, lines)))
            return
        found = HEAD.search(first + lines.read(10_000))
    if found is None:
        raise NotAnExport("it holds neither a head nor events")
    kept = Head(int(found[1]), bytes.fromhex(found[2]))
    current = head(session, kept.events)
    if current != kept:
        yield f"the first {kept.events} events are not those of the head that was kept"


def _kept(first: str, lines: Iterator[str]) -> Iterator[Event]:
    return export.read(together([first], lines))


def _end(problems: Iterable[str]) -> None:
    """End here if there are problems; there may be as many as events."""
    found = False
    for problem in problems:
        click.echo(f"problem  {problem}")
        found = True
    if found:
        sys.exit(1)


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at else None


def _printable(text: str) -> str:
    """What a terminal shows and does not obey."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )

"""The commands."""

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CalledProcessError

import click

from approval import __version__
from approval.cli import checking, scanning, serving
from approval.cli.assembly import build_platform, build_reconcile, build_room
from approval.cli.auditing import audit
from approval.cli.binding import NotBound
from approval.cli.databases import db
from approval.cli.keying import key_group
from approval.cli.keys import KeyBroken
from approval.cli.opening import load_config, open_current, open_store, settings_option
from approval.cli.temporal import engine_group, temporal_group
from approval.clock import utc_now
from approval.config import SECTIONS, Config
from approval.config.example import example
from approval.failures import Failure
from approval.gate import purge as purging
from approval.gate import revoke as revoking
from approval.gate import trouble
from approval.logs import configure_logs
from approval.rendering import TemplateError
from approval.store import retention
from approval.store.database import StoreDown


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """An approval gate for cloud platforms."""
    os.umask(0o077)  # what any command makes is nobody else's to read


main.add_command(audit)
main.add_command(db)
main.add_command(key_group)
main.add_command(temporal_group)
main.add_command(engine_group)


@main.command()
@settings_option
def serve(file: Path) -> None:
    """Run the gate: answer people and platforms, and do the work."""
    _run(file, serving.serve)


@main.command()
@settings_option
def web(file: Path) -> None:
    """Only answer people and platforms; 'worker' does the work.

    Needs PostgreSQL.
    """
    _run(file, serving.web)


@main.command()
@settings_option
def worker(file: Path) -> None:
    """Only do the work: look up, mail, tell the platform, reconcile.

    Needs PostgreSQL.
    """
    _run(file, serving.work)


def _run(file: Path, part: Callable[[Config], None]) -> None:
    """Run the gate or a part of it until it is told to stop, or end with the reason named."""
    config = load_config(file)
    configure_logs()
    for warning in config.warnings:
        click.echo(f"warning  {warning}", err=True)
    try:
        part(config)
    except TemplateError as error:
        click.echo(f"problem  [server] templates: {error}", err=True)
        sys.exit(1)
    except (
        serving.NotServed,
        NotBound,
        KeyBroken,
        StoreDown,
        OSError,
        CalledProcessError,
    ) as error:
        click.echo(f"problem  {error}", err=True)
        sys.exit(1)


@main.command()
@settings_option
def check(file: Path) -> None:
    """Find every mistake in settings and templates; try it all out.

    Tries the address to listen on, the store, the platform and the mail server.
    """
    sys.exit(0 if checking.check(load_config(file)) else 1)


@main.command()
@click.option(
    "--send",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Post a callback body to the demo that runs, or to one that is started for it.",
)
@click.option("--once", "alone", is_flag=True, help="Play one round, print each step, and end.")
@click.option(
    "--cloud-port",
    type=click.IntRange(0, 65535),
    default=8081,
    show_default=True,
    help="Where the simulated Abiquo is to be, and where --send looks for it.",
)
def demo(file: Path | None, alone: bool, cloud_port: int) -> None:
    """Try it out here, with a simulated Abiquo and a mailbox."""
    if file and alone:
        raise click.UsageError("--send and --once do not go together")
    try:
        from approval.demo.demo import once, run
        from approval.demo.stage import Ports
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("aiosmtpd"):
            raise
        python = shlex.quote(sys.executable)
        click.echo(
            "problem  the demo needs a mail server that is not installed; in the folder of the "
            f"sources, where pyproject.toml lies: {python} -m pip install '.[demo]'",
            err=True,
        )
        sys.exit(2)
    sys.exit(once() if alone else run(Ports(cloud=cloud_port), file))


@main.command()
def settings() -> None:
    """Print a workflow.cfg with every key explained."""
    click.echo(example(SECTIONS), nl=False)


@main.command()
@settings_option
@click.argument("tasks", nargs=-1)
def redeliver(file: Path, tasks: tuple[str, ...]) -> None:
    """Take up what was set aside: all, or the decisions of TASKS."""
    config = load_config(file)
    try:
        with open_store(config) as database, database.write() as session:
            taken = trouble.redeliver(session, list(tasks) or None, config.platform_name, utc_now())
    except trouble.UnknownTasks as error:
        click.echo(f"problem  there is no task {error}; nothing was taken up", err=True)
        sys.exit(1)
    for line in taken:
        click.echo(line)
    click.echo(f"{len(taken)} taken up")
    if tasks and not taken:
        click.echo("problem  none of these tasks waits to be delivered", err=True)
        sys.exit(1)


@main.command()
@settings_option
def reconcile(file: Path) -> None:
    """Compare now what the platform holds with what is known.

    Prints what was done.
    """
    config = load_config(file)
    platform = build_platform(config)
    with open_store(config) as database:
        room = build_room(config, database)
        try:
            build_reconcile(config, database, platform, room, lambda: None).round(click.echo)
        except Failure as failure:
            click.echo(f"problem  {platform.name}: {failure}", err=True)
            sys.exit(1)
    click.echo("reconciled")


@main.command()
@settings_option
@click.option("--request", metavar="ID", help="The request whose links end, or one of its tasks.")
@click.option("--person", "address", metavar="ADDRESS", help="The mail address whose links end.")
@click.option("--lift", is_flag=True, help="Let links that were withdrawn or locked decide again.")
def revoke(file: Path, request: str | None, address: str | None, lift: bool) -> None:
    """Withdraw the links of a request, of a person, or of both.

    Those of a person alone are withdrawn in all open requests.
    """
    if request is None and address is None:
        raise click.UsageError("name --request, --person or both")
    config = load_config(file)
    act = revoking.lift if lift else revoking.revoke
    try:
        with open_store(config) as database, database.write() as session:
            named = request and revoking.request_of(session, config.platform_name, request)
            found = act(session, named, address, utc_now())
    except revoking.Nobody as error:
        click.echo(f"problem  {error}", err=True)
        sys.exit(1)
    for one in found:
        click.echo(f"{one.name} <{one.address}> of request {one.request_id}")
    click.echo(f"{len(found)} {'let decide again' if lift else 'withdrawn'}")
    sys.exit(0 if found else 1)


@main.command("scan-test")
@click.argument("url")
def scan_test(url: str) -> None:
    """Open URL, a mail's link, as scanners do; does that decide?

    Tells whether the page says the same afterwards. Nothing is pressed.
    Only the host of URL is asked.
    """
    sys.exit(0 if scanning.scan_test(url, click.echo) else 1)


@main.command()
@settings_option
@click.option("--dry-run", is_flag=True, help="Only say what would be purged.")
def purge(file: Path, dry_run: bool) -> None:
    """Remove personal data older than [policy] purge_after, now."""
    config = load_config(file)
    if config.policy.purge_after is None:
        click.echo(
            "problem  [policy] purge_after: nothing is ever purged until you set it", err=True
        )
        sys.exit(2)
    now = utc_now()
    before = now - config.policy.purge_after
    with open_current(config) as database:
        with database.read() as session:
            due = retention.due(session, before)
        click.echo(
            f"{due.requests} requests and {due.machines} machines from before {before:%d %B %Y}"
        )
        if due.kept:
            click.echo(f"{due.kept} more are kept until their decisions are delivered")
        if not dry_run:
            done = purging.purge(database, before, now, lambda: None)
            click.echo(f"purged {done.requests} requests and {done.machines} machines")

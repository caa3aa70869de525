"""`approval redeliver`, `reconcile` and `purge`: what an operator has done at once."""

import sys
from pathlib import Path

import click

from approval.cli.opening import load_config, open_current, settings_option
from approval.cli.parts import build_platform, build_reconcile, build_room
from approval.cli.pausing import pause
from approval.clock import utc_now
from approval.failures import Failure
from approval.gate import purge as purging
from approval.gate import trouble
from approval.store import retention


@click.command()
@settings_option
@click.argument("tasks", nargs=-1)
def redeliver(file: Path, tasks: tuple[str, ...]) -> None:
    """Take up what was set aside: all, or the decisions of TASKS."""
    config = load_config(file)
    try:
        with open_current(config) as database, database.write() as session:
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


@click.command()
@settings_option
def reconcile(file: Path) -> None:
    """Compare now all that the platform holds with what is known.

    Prints what was done.
    """
    config = load_config(file)
    platform = build_platform(config)
    with open_current(config) as database:
        room = build_room(config, database)
        try:
            reconciling = build_reconcile(config, database, platform, room, lambda: None)
            reconciling.round(click.echo, whole=True)
        except Failure as failure:
            click.echo(f"problem  {platform.name}: {failure}", err=True)
            sys.exit(1)
    click.echo("reconciled")


@click.command()
@settings_option
@click.option("--dry-run", is_flag=True, help="Only say what would be purged.")
def purge(file: Path, dry_run: bool) -> None:
    """Remove personal data older than [policy] purge_after, now."""
    config = load_config(file)
    if config.policy.purge_after is None:
        click.echo(
            "problem  [policy] purge_after: nothing is ever purged until you set it, as 365 days",
            err=True,
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
            done = purging.purge(database, before, now, pause)
            click.echo(f"purged {done.requests} requests and {done.machines} machines")

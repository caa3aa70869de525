"""`approval redeliver`, `reconcile`, `revoke` and `purge`: what an operator has done at once."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from approval.cli.opening import load_config, open_current, settings_option
from approval.cli.parts import build_platform, build_reconcile, build_room
from approval.clock import utc_now
from approval.failures import Failure
from approval.gate import purge as purging
from approval.gate import revoke as revoking
from approval.gate import trouble
from approval.model import Approver
from approval.store import retention

PAUSE = 0.01  # seconds between two batches, in which a gate beside it gets its turn to write


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
    with open_current(config) as database:
        try:
            with database.read() as session:
                meant = revoking.meant(session, config.platform_name, request, address)
        except revoking.Nobody as error:
            click.echo(f"problem  {error}", err=True)
            sys.exit(1)
        with _shown("let decide again" if lift else "withdrawn") as done:
            act(database, meant, address, utc_now, done)
    sys.exit(0 if done.approvers else 1)


class _Done:
    """Whose links were changed so far."""

    def __init__(self) -> None:
        self.approvers: list[Approver] = []

    def __call__(self, some: Sequence[Approver]) -> None:
        self.approvers += some
        _pause()


@contextmanager
def _shown(what: str) -> Iterator[_Done]:
    """Show at the end whose links were changed, however that comes.

    Not before: whoever stops reading must not stop the rest.
    """
    done, rest = _Done(), "; run the same again for the rest"
    try:
        yield done
        rest = ""
    finally:
        for one in done.approvers:
            click.echo(f"{one.name} <{one.address}> of request {one.request_id}")
        click.echo(f"{len(done.approvers)} {what}{rest}")


@click.command()
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
            done = purging.purge(database, before, now, _pause)
            click.echo(f"purged {done.requests} requests and {done.machines} machines")


def _pause() -> None:
    time.sleep(PAUSE)

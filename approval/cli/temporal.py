"""`approval temporal` and `approval engine`: what an operator does for engines."""

import sys
from pathlib import Path

import click

from approval.cli.engines import rounds_of
from approval.cli.opening import load_config, open_current, settings_option
from approval.clock import utc_now
from approval.store import wakes


@click.group("temporal")
def temporal_group() -> None:
    """Look after Temporal, with [engine] kind = temporal."""


@temporal_group.command()
@settings_option
def setup(file: Path) -> None:
    """Register search attributes and make schedules that are missing.

    The engine does so too at its start, if its account may.
    """
    config = load_config(file)
    if config.engine.kind != "temporal":
        click.echo("problem  [engine] kind: is not temporal, so nothing would use it", err=True)
        sys.exit(2)
    from temporalio.service import RPCError

    from approval.engine.temporal.checking import set_up
    from approval.engine.temporal.connection import NoConnection

    try:
        set_up(config.temporal, rounds_of(config), click.echo)
    except (NoConnection, RPCError) as error:
        click.echo(f"problem  [temporal] address: {error}", err=True)
        sys.exit(1)
    click.echo("Temporal is set up")


@click.group("engine")
def engine_group() -> None:
    """Look after the engine, whichever it is."""


@engine_group.command()
@settings_option
def adopt(file: Path) -> None:
    """Have Temporal look at every request of which something is left to do.

    Its engine does so too at its start, for those that Temporal does not know.
    """
    config = load_config(file)
    if config.engine.kind != "temporal":
        click.echo("the embedded engine finds by itself what there is to do")
        return
    with open_current(config) as database:
        now = utc_now()
        with database.write() as session:
            owners = wakes.unfinished(session)
            wakes.add(session, dict.fromkeys(owners, now))
    click.echo(f"{len(owners)} to be looked at")

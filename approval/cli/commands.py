"""All commands, under one name."""

import os
import sys
from pathlib import Path

import click

from approval import __version__
from approval.cli import checking, linking, operating, running, scanning
from approval.cli.auditing import audit
from approval.cli.databases import db
from approval.cli.keying import key_group
from approval.cli.opening import Command, examine_config, settings_option
from approval.cli.temporal import engine_group, temporal_group
from approval.config import SECTIONS
from approval.config.example import example
from approval.extras import how_to_install

OF_THE_DEMO = {"aiosmtpd", "requests"}  # what the extra of that name installs


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """An approval gate for cloud platforms."""
    os.umask(0o077)  # what any command makes is nobody else's to read


for command in (
    running.serve,
    running.web,
    running.worker,
    operating.redeliver,
    operating.reconcile,
    linking.pending,
    linking.revoke,
    linking.renew,
    operating.purge,
    audit,
    db,
    key_group,
    temporal_group,
    engine_group,
):
    main.add_command(command)


@main.command(cls=Command)
@settings_option
def check(file: Path) -> None:
    """Find every mistake in settings and templates; try it all out.

    Tries the address to listen on, the store, the platform and the mail server. What
    settings with a mistake are about is left out.
    """
    found = examine_config(file)
    well = checking.check(found)
    sys.exit(2 if found.problems else 0 if well else 1)


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
        missing = (error.name or "").partition(".")[0]
        if missing not in OF_THE_DEMO:
            raise
        cure = how_to_install("demo")
        click.echo(f"problem  the demo needs {missing}, which is not installed; {cure}", err=True)
        sys.exit(2)
    sys.exit(once() if alone else run(Ports(cloud=cloud_port), file))


@main.command()
def settings() -> None:
    """Print a workflow.cfg with every key explained."""
    click.echo(example(SECTIONS), nl=False)


@main.command("scan-test")
@click.argument("url")
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificates (PEM) to trust instead of the public authorities.",
)
def scan_test(url: str, ca_file: Path | None) -> None:
    """Open URL, a mail's link, as scanners do; does that decide?

    Tells whether the page says the same afterwards. Nothing is pressed.
    Only the host of URL is asked.
    """
    sys.exit(0 if scanning.scan_test(url, click.echo, ca_file) else 1)

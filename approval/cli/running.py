"""`approval serve`, `web` and `worker`: what runs until it is told to stop."""

import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CalledProcessError

import click

from approval.cli import serving
from approval.cli.binding import NotBound
from approval.cli.keys import KeyBroken
from approval.cli.opening import load_config, settings_option
from approval.config import Config
from approval.logs import configure_logs
from approval.rendering import TemplateError
from approval.store.database import StoreDown
from approval.store.resting import InUse


@click.command()
@settings_option
def serve(file: Path) -> None:
    """Run the gate: answer people and platforms, and do the work."""
    _run(file, serving.serve)


@click.command()
@settings_option
def web(file: Path) -> None:
    """Only answer people and platforms; 'worker' does the work.

    Needs PostgreSQL.
    """
    _run(file, serving.web)


@click.command()
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
    except (InUse, StoreDown) as error:
        click.echo(f"problem  [server] database: {error}", err=True)
        sys.exit(1)
    except NotBound as error:
        click.echo(f"problem  [server] {error}", err=True)
        sys.exit(1)
    except (
        serving.NotServed,
        KeyBroken,
        OSError,
        CalledProcessError,
    ) as error:
        click.echo(f"problem  {error}", err=True)
        sys.exit(1)

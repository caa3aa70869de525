"""`approval serve`, `web` and `worker`: what runs until it is told to stop."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CalledProcessError
from typing import NoReturn

import click

from approval.cli import serving
from approval.cli.binding import NotBound
from approval.cli.keys import KeyBroken
from approval.cli.opening import Command, load_config, settings_option
from approval.config import Config
from approval.logs import configure_logs
from approval.rendering import TemplateError
from approval.store.database import StoreDown
from approval.store.resting import InUse


@click.command(cls=Command)
@settings_option
def serve(file: Path) -> None:
    """Run the gate: answer people and platforms, and do the work."""
    _run(file, serving.serve)


@click.command(cls=Command)
@settings_option
def web(file: Path) -> None:
    """Only answer people and platforms; 'worker' does the work.

    Needs PostgreSQL.
    """
    _run(file, serving.web)


@click.command(cls=Command)
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
    with told(config):
        part(config)


@contextmanager
def told(config: Config) -> Iterator[None]:
    """End with the reason named if a gate cannot run."""
    try:
        yield
    except TemplateError as error:
        _end(f"[server] templates: {error}", error)
    except InUse as error:
        _end(f"[server] database: {error}", error)
    except StoreDown as error:
        tried = f"{config.shown_database}: {error}; 'approval check' tries it and says what to do"
        _end(f"[server] database: {tried}", error)
    except NotBound as error:
        _end(f"[server] {error}", error)
    except (serving.NotServed, KeyBroken, OSError, CalledProcessError) as error:
        _end(str(error), error)


def _end(problem: str, error: Exception) -> NoReturn:
    click.echo(f"problem  {problem}", err=True)
    raise SystemExit(1) from error

"""`approval demo`: what it starts, what it prints, with which status it ends."""

import logging
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

import click

from approval.demo.ending import Ended, end_when_asked
from approval.demo.gate import GateFailed
from approval.demo.once import play
from approval.demo.sending import Running, running, send
from approval.demo.stage import ANY, Ports, staged
from approval.demo.welcome import welcome


def run(ports: Ports, file: Path | None) -> int:
    """Run until asked to end. A file's body goes to the demo that runs already, if there is one."""
    _prepare()
    other = running(ports.cloud) if file else None
    if file and other:
        return 0 if send(file, other) else 1
    try:
        _stay(ports, file)
    except Ended:
        click.echo("\n  Bye. Everything is stopped, and nothing is left behind.")
        return 0
    except (GateFailed, OSError) as error:
        return _explain(error)


def once() -> int:
    """Play one round."""
    _prepare()
    try:
        end_when_asked()
        with staged(ANY) as stage:
            return 0 if play(stage) else 1
    except Ended:
        click.echo("\n  Ended before all steps were seen.")
        return 1
    except OSError as error:
        return _explain(error)


def _stay(ports: Ports, file: Path | None) -> NoReturn:
    """Raises Ended, GateFailed or OSError."""
    end_when_asked()
    with staged(ports) as stage:
        stage.gate.wait_until_ready()
        click.echo(welcome(stage))
        if file:
            send(file, Running(stage.cloud.url, str(stage.cloud.callback_url)))
        stage.gate.wait_until_ended()


def _prepare() -> None:
    # It warns of every request that waits for a thread, which is how a queue works.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may not know the tick


def _explain(error: GateFailed | OSError) -> int:
    click.echo(f"problem  {error}", err=True)
    if isinstance(error, GateFailed):
        click.echo(f"\nThe gate's last words:\n{error.log or '(none)'}", err=True)
    return 1

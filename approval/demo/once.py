"""A round that plays itself, for whoever wants to see that everything works."""

import time
from collections.abc import Callable

import click
import requests

from approval.demo.browser import Browser
from approval.demo.round import STEPS, Missed, Round
from approval.demo.stage import Stage

PATIENCE = 15.0  # seconds that each step has


def play(stage: Stage, patience: float = PATIENCE) -> bool:
    """Print each step as it happens; says whether all of them were seen."""
    begun = time.monotonic()
    with Browser() as browser:
        round = Round(stage, browser, patience)
        if not all(_see(number, step, round) for number, step in enumerate(STEPS, start=1)):
            click.echo(f"\nThe gate's last words:\n{stage.gate.log or '(none)'}")
            return False
    click.echo(f"\n  All {len(STEPS)} steps seen in {time.monotonic() - begun:.1f} s.")
    return True


def _see(number: int, step: Callable[[Round], str], round: Round) -> bool:
    begun = time.monotonic()
    seen, words = _attempt(step, round)
    mark = click.style("✓", fg="green") if seen else click.style("✗", fg="red")
    milliseconds = (time.monotonic() - begun) * 1000
    click.echo(f"  {mark} {number}  {milliseconds:5.0f} ms  {words}")
    return seen


def _attempt(step: Callable[[Round], str], round: Round) -> tuple[bool, str]:
    try:
        return True, step(round)
    except Missed as error:
        return False, f"expected {error}"
    except requests.RequestException as error:
        return False, f"expected an answer, but: {error}"

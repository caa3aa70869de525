"""`approval keys`: replace the keys that sign links, where the gate keeps them itself."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from approval.cli import keys
from approval.cli.keys import KeyBroken
from approval.cli.opening import load_config, open_current, settings_option
from approval.config import Config
from approval.store import pending


@click.group("keys")
def key_group() -> None:
    """Replace the keys that sign links, where the gate keeps them."""


@key_group.command()
@settings_option
def rotate(file: Path) -> None:
    """Add a new key. It signs from the next start on; links of older keys go on working."""
    config = load_config(file)
    with _told():
        count = keys.rotate(config)
    click.echo(f"{count} keys; restart the gate, and retire the old ones when their links are over")


@key_group.command()
@settings_option
@click.option("--force", is_flag=True, help="Even if links of open requests end with the keys.")
def retire(file: Path, force: bool) -> None:
    """Forget all keys but the newest.

    Links that they signed are strangers from the next start on. Refused while requests
    are open whose links they may have signed.
    """
    config = load_config(file)
    with _told():
        waiting = _open_requests(config) if keys.older(config) else 0
        if waiting and not force:
            raise KeyBroken(
                f"{_count(waiting)} open; links in their mails may be signed by the older keys "
                "and would be strangers; wait until they are decided, or add --force"
            )
        count = keys.retire(config)
    if waiting:
        click.echo(f"{_count(waiting)} open; links in their mails may be strangers from now on")
    click.echo(f"{count} retired; restart the gate")


def _open_requests(config: Config) -> int:
    with open_current(config, reading=True) as database, database.read() as session:
        return pending.count_open(session)


def _count(requests: int) -> str:
    return "1 request is" if requests == 1 else f"{requests} requests are"


@contextmanager
def _told() -> Iterator[None]:
    """The keys' file, or an end with the reason named."""
    try:
        yield
    except (KeyBroken, OSError) as error:
        click.echo(f"problem  {error}", err=True)
        sys.exit(1)

"""`approval pending`, `revoke` and `renew`: what waits, and the links to decide it by."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from approval.cli.opening import Command, load_config, open_current, settings_option
from approval.cli.pausing import pause
from approval.clock import Clock, utc_now
from approval.config import Config
from approval.gate.renew import renew_all
from approval.gate.revoke import lift as give_back
from approval.gate.revoke import revoke as withdraw
from approval.gate.whose import After, Nobody, meant
from approval.model import ApprovalRequest, Approver, MailState
from approval.rendering import visible
from approval.store import holders, people, requests
from approval.store.database import Database
from approval.wording import question

Act = Callable[[Database, Sequence[str], str | None, Clock, After], None]
UNABLE = {
    MailState.WAITING: "not mailed yet",
    MailState.REFUSED: "mail refused",
    MailState.SKIPPED: "not mailed",
}
request_option = click.option(
    "--request", "name", metavar="ID", help="The request, by its id or that of one of its tasks."
)
person_option = click.option("--person", "address", metavar="ADDRESS", help="Whose links.")


@click.command(cls=Command)
@settings_option
def pending(file: Path) -> None:
    """List what waits for a decision, and who is asked."""
    with open_current(load_config(file), reading=True) as database:
        with database.read() as session:
            ids, count = holders.open_requests(session), 0
        for request_id in ids:
            with database.read() as session:
                request = requests.load(session, request_id)
                asked = people.approvers(session, request_id)
            if request and request.pending:
                click.echo(_line(request, asked))
                count += 1
    click.echo(f"{count} pending")


def _line(request: ApprovalRequest, asked: Sequence[Approver]) -> str:
    who = ", ".join(map(_who, asked)) or "nobody yet"
    what = question(request, request.pending)
    return f"{request.id}  {request.received_at:%d %b %Y %H:%M} UTC  {visible(what)}; asked: {who}"


def _who(one: Approver) -> str:
    """Who is asked, and why they cannot decide if so."""
    why = "withdrawn" if one.revoked else "locked" if one.locked else UNABLE.get(one.mail)
    return visible(f"{one.name} <{one.address}>") + (f" ({why})" if why else "")


@click.command()
@settings_option
@request_option
@person_option
@click.option("--lift", is_flag=True, help="Let links that were withdrawn or locked decide again.")
def revoke(file: Path, name: str | None, address: str | None, lift: bool) -> None:
    """Withdraw the links of a request, of a person, or of both.

    Those of a person alone are withdrawn in all open requests.
    """
    if name is None and address is None:
        raise click.UsageError("name --request, --person or both")
    if lift:
        done = _act(load_config(file), name, address, give_back, "let decide again")
        _end(done, "these links decide already")
    else:
        done = _act(load_config(file), name, address, withdraw, "withdrawn")
        _end(done, "these links are withdrawn already; --lift gives them back")


@click.command()
@settings_option
@request_option
@person_option
@click.option("--all", "everybody", is_flag=True, help="All who are asked in all open requests.")
def renew(file: Path, name: str | None, address: str | None, everybody: bool) -> None:
    """Mail fresh links to those who were asked.

    For links that are lost, over, or signed with a key that is gone.
    """
    if everybody == (name is not None or address is not None):
        raise click.UsageError("name --request, --person or both, or --all")
    done = _act(load_config(file), name, address, renew_all, "will get fresh links")
    _end(done, "nobody was mailed there who can decide what is open")


def _act(
    config: Config, name: str | None, address: str | None, act: Act, what: str
) -> list[Approver]:
    """Do something to all links that are meant; returns whose they are."""
    with open_current(config) as database:
        try:
            with database.read() as session:
                whose = meant(session, config.platform_name, name, address)
        except Nobody as error:
            _end([], str(error))
        with _shown(what) as done:
            act(database, whose, address, utc_now, done)
    return done.approvers


def _end(done: Sequence[Approver], why_not: str) -> None:
    """End as failed if nothing was done."""
    if not done:
        click.echo(f"problem  {why_not}", err=True)
        sys.exit(1)


class _Done:
    """Whose links it was done to so far."""

    def __init__(self) -> None:
        self.approvers: list[Approver] = []

    def __call__(self, some: Sequence[Approver]) -> None:
        self.approvers += some
        pause()


@contextmanager
def _shown(what: str) -> Iterator[_Done]:
    """Show at the end whose links it was done to, however that comes.

    Not before: whoever stops reading must not stop the rest.
    """
    done, rest = _Done(), "; it was cut off, so it is to be run again"
    try:
        yield done
        rest = ""
    finally:
        for one in done.approvers:
            click.echo(visible(f"{one.name} <{one.address}> of request {one.request_id}"))
        click.echo(f"{len(done.approvers)} {what}{rest}")

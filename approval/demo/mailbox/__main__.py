"""The mailbox as a process of its own: `python -m approval.demo.mailbox`."""

import logging

import click

from approval.demo.mailbox import Mailbox
from approval.demo.serving import wait_for_signal


@click.command()
@click.option("--smtp-port", default=0, help="Where to take mails; 0 takes a free port.")
@click.option("--web-port", default=0, help="Where to show them; 0 takes a free port.")
@click.option("--keep", default=10_000, help="How many mails to keep.")
@click.option("--delay", default=0.0, help="Seconds it takes to accept a mail.")
def main(smtp_port: int, web_port: int, keep: int, delay: float) -> None:
    """Run until asked to end. Prints one line when ready."""
    logging.basicConfig(level=logging.ERROR)
    with Mailbox(smtp_port=smtp_port, web_port=web_port, keep=keep, delay=delay) as mailbox:
        click.echo(f"ready smtp://127.0.0.1:{mailbox.smtp_port} {mailbox.url}")
        wait_for_signal()


if __name__ == "__main__":
    main()

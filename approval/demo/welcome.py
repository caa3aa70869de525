"""What the terminal says when the demo runs."""

import shlex
import shutil
import sys
from pathlib import Path

import click

from approval.demo.loopback import HOST
from approval.demo.stage import Ports, Stage

TEXT = """
  {title}

    Simulated Abiquo   {cloud}
    Mailbox            {mailbox}
    Gate               {gate}
    Mail server        {smtp}

  {things}

    1  Deploy web-01 in Abiquo. Its task waits there: somebody has to approve it.
    2  Open Mona's mail in the mailbox and follow Accept. Nothing has happened yet: write a
       comment and press the button. Abiquo goes on, and Ana, who asked, reads your comment.
    3  Deploy the appliance Shop: one mail for several machines. Decide all at once, or one
       by one; then follow a link that Max was sent.
    4  Undeploy mail-01, cancel that in Abiquo itself, then press Accept in the mail: the
       machine stays, and the link then tells that somebody was quicker.

    In another terminal, post a callback body of your own:
      {send} FILE

  Ctrl-C ends it all and leaves nothing behind.
"""


def welcome(stage: Stage) -> str:
    """The addresses first, then what to try."""
    return TEXT.format(
        title=click.style(
            "The gate runs, with a simulated Abiquo and a mailbox to try it out.", bold=True
        ),
        things=click.style("Things to try", bold=True),
        cloud=stage.cloud.url,
        mailbox=stage.mailbox.url,
        gate=stage.gate.url,
        smtp=f"{HOST}:{stage.mailbox.smtp_port}",
        send=f"{started_as()} demo{_port(stage.cloud.port)} --send",
    )


def started_as() -> str:
    """How this process was started, for a shell in whatever folder."""
    program = Path(sys.argv[0]).absolute()
    if program.name == "__main__.py":
        return shlex.join([sys.executable, "-m", "approval"])
    on_path = shutil.which(program.name)
    return program.name if on_path == str(program) else shlex.quote(str(program))


def _port(port: int) -> str:
    """What tells --send where this demo is."""
    return "" if port == Ports.cloud else f" --cloud-port {port}"

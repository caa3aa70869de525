"""What the terminal says when the demo runs."""

import click

from approval.demo.loopback import HOST
from approval.demo.stage import Stage

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

    In another terminal, approval demo --send FILE posts a callback body of your own.

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
    )

"""Everything that takes part in the demo, running."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from approval.demo.cloud import Cloud
from approval.demo.gate import Gate
from approval.demo.loopback import HOST, free_port
from approval.demo.mailbox import Mailbox

SETTINGS = """\
[server]
bind_port = {port}
brand = Acme Cloud
callback_secret = {secret}

[abiquo]
api_location = {cloud.api_location}
api_username = {cloud.username}
api_password = {cloud.password}

[mail]
from = Acme Cloud approvals <approvals@acme.example>
host = {host}
port = {mailbox.smtp_port}
operator = Olga Operator <operator@acme.example>
"""


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The ports to take if they are free; 0 takes any."""

    gate: int = 8080
    cloud: int = 8081
    mailbox: int = 8082
    smtp: int = 8025


ANY = Ports(gate=0, cloud=0, mailbox=0, smtp=0)


@dataclass(frozen=True)
class Stage:
    """The parts; the cloud and the mailbox live in this process."""

    cloud: Cloud
    mailbox: Mailbox
    gate: Gate


@contextmanager
def staged(ports: Ports) -> Iterator[Stage]:
    """Run all parts, of which the gate may not be ready yet; leave nothing behind."""
    # The gate goes first and comes back last, so that whatever it has under way is answered.
    with (
        TemporaryDirectory(prefix="approval-demo-") as folder,
        Mailbox(smtp_port=free_port(ports.smtp), web_port=free_port(ports.mailbox)) as mailbox,
        Cloud(port=free_port(ports.cloud)) as cloud,
        _gate(Path(folder), free_port(ports.gate), cloud, mailbox) as gate,
    ):
        yield Stage(cloud, mailbox, gate)


def _gate(folder: Path, port: int, cloud: Cloud, mailbox: Mailbox) -> Gate:
    """A gate between these two, which lets only this cloud call."""
    secret = secrets.token_urlsafe(24)
    settings = folder / "workflow.cfg"
    text = SETTINGS.format(port=port, secret=secret, cloud=cloud, mailbox=mailbox, host=HOST)
    settings.write_text(text, encoding="utf-8")
    url = f"http://{HOST}:{port}"
    cloud.callback_url = f"{url}/callback/{secret}"
    return Gate(settings, url)

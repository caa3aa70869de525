"""A callback body from a file, posted to the gate of a demo that runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import requests

from approval.demo.loopback import HOST, session

LOOK, ANSWER = 2, 15  # seconds to find a demo, and to have an answer from one


@dataclass(frozen=True)
class Running:
    """A demo that runs: its simulated Abiquo, and where that announces held tasks."""

    cloud: str
    callback: str


def running(port: int) -> Running | None:
    """The demo whose cloud is on this port, be it in this process or in another one."""
    url = f"http://{HOST}:{port}"
    try:
        with session() as http:
            about = http.get(f"{url}/about", timeout=LOOK).json()
    except requests.RequestException:
        return None
    is_demo = isinstance(about, dict) and about.get("demo") is True and about.get("callback")
    return Running(url, str(about["callback"])) if is_demo else None


def send(file: Path, demo: Running) -> bool:
    """Post the body and print what becomes of it; says whether the gate took it.

    Abiquo holds the tasks first, as in life; what it cannot read is posted all the
    same, to see what the gate says.
    """
    body = file.read_bytes()
    click.echo(f"  {file.name}, {len(body)} bytes")
    try:
        with session() as http:
            adopted = http.post(f"{demo.cloud}/adopt", body, timeout=ANSWER)
            click.echo(f"    Abiquo    {_from_abiquo(adopted)}")
            answer = http.post(demo.callback, body, timeout=ANSWER)
    except requests.RequestException as error:
        click.echo(f"    no answer {error}")
        return False
    click.echo(f"    the gate  answers {answer.status_code}: {_from_the_gate(answer)}")
    return answer.ok


def _from_abiquo(answer: requests.Response) -> str:
    if not answer.ok:
        return f"holds nothing of it: {_said(answer).get('error', answer.reason)}"
    return f"holds {_tasks(_said(answer)['tasks'])} of it"


def _from_the_gate(answer: requests.Response) -> str:
    said = _said(answer)
    if not answer.ok:
        return str(said.get("error", answer.reason))
    if answer.status_code == requests.codes.accepted:
        return f"approval request {said['request']} with {_tasks(said['tasks'])}, see the mailbox"
    return f"known already as approval request {said['request']}, so nothing is mailed twice"


def _said(answer: requests.Response) -> dict[str, Any]:
    """What a JSON object in an answer says; nothing if it is something else."""
    try:
        said = answer.json()
    except requests.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _tasks(ids: list[str]) -> str:
    return f"{len(ids)} task{'' if len(ids) == 1 else 's'}"

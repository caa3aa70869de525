"""What is logged: enough to help, and nothing that opens a door."""

import base64
import json
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from approval.demo.cloud import Cloud
from approval.demo.mailbox import Mailbox
from tests.conftest import ANA, MONA, form_of, settings_text, wait_until
from tests.mails import Mails

SECRET, WRONG = "a-secret-of-22-characters", "another-secret-of-22-chars"
PASSWORD, API_PASSWORD = "smtp-pass-word", "xabiquo"
COMMENT = "a comment that is nobody else's business"
LABEL = 'web\n{"event": "forged"}\r\nforged'


@pytest.fixture
def mailbox(certificates):
    context = certificates.server("127.0.0.1")
    with Mailbox(starttls=context, login=("gate", PASSWORD)) as mailbox:
        yield mailbox


@pytest.fixture
def text(cloud, mailbox, ca_file, tmp_path):
    broken = tmp_path / "own/page/result.html"
    broken.parent.mkdir(parents=True)
    broken.write_text("{{ token }} {{ request.nothing }}")
    server = f"callback_secret = {SECRET}\ntemplates = own\nsecret_key = {SECRET[::-1]}"
    login = f"security = starttls\nusername = gate\npassword = {PASSWORD}\nca_file = {ca_file}"
    return settings_text(cloud, mailbox, server).replace("[server]", f"{login}\n[server]")


def test_a_whole_round_leaves_no_secret_in_the_log(serve, text, cloud, mailbox):
    serving = serve(text)
    url, mails = serving.url, Mails(mailbox)
    cloud.world.machine(59).label = LABEL
    cloud.callback_url = f"{url}/callback/{SECRET}"
    [task] = cloud.deploy_machine(59)
    mona = mails.to(MONA)
    accept = mona.link("accept")
    for open_link in (requests.get, requests.head, requests.options):
        open_link(accept, timeout=10)
    strange = f"{accept[:-3]}abc"
    assert requests.get(strange, timeout=10).status_code == 404
    assert requests.get(mona.link("review"), timeout=10).status_code == 200
    for auth in (("abiquo", WRONG), ("abiquo", SECRET)):
        requests.post(f"{url}/callback", data=b"<odd", auth=auth, timeout=10)
    assert requests.post(f"{url}/callback/{WRONG}", timeout=10).status_code == 401
    assert requests.get(f"{url}/callback/{SECRET}/more?token=t", timeout=10).status_code == 404
    cloud.faults.down = True
    path, fields = form_of(accept)
    fields["comment"] = COMMENT
    assert requests.post(path, data=fields, timeout=10).status_code == 500
    wait_until(lambda: '"kind": "release"' in serving.log)
    cloud.faults.clear()
    wait_until(lambda: cloud.task_state(task) != "QUEUEING")
    outcome = mails.to(ANA)
    assert COMMENT in outcome.text
    assert requests.get(accept, timeout=10).status_code == 410
    assert serving.end() == 0

    log = serving.log
    assert "request broke" in log
    assert_is_json_without_forgery(log)
    for secret in secrets(mails, strange):
        assert secret not in log


def secrets(mails, *links):
    """All that must not be logged."""
    links = [*links, *(link for mail in mails.all() for link in mail.links)]
    tokens = {parse_qs(urlsplit(link).query)["token"][0] for link in links if "token=" in link}
    assert len(tokens) > 4
    logins = [("admin", API_PASSWORD), ("gate", PASSWORD), ("abiquo", SECRET)]
    encoded = [base64.b64encode(":".join(login).encode()).decode() for login in logins]
    encoded += [base64.b64encode(f"\0gate\0{PASSWORD}".encode()).decode()]
    signatures = [token.rpartition(".")[2] for token in tokens]
    plain = [SECRET, SECRET[::-1], WRONG, PASSWORD, API_PASSWORD, COMMENT, "Authorization",
             "wants to deploy", "token="]  # fmt: skip
    assert Cloud.password == API_PASSWORD
    return [*tokens, *signatures, *encoded, *plain]


def assert_is_json_without_forgery(log):
    """Every line is one event of ours, whatever stood in the name of a machine."""
    events = [json.loads(line) for line in log.splitlines() if not line.startswith("warning  ")]
    assert {event["event"] for event in events} <= {
        "serving", "request", "job done", "job failed", "request broke", "stopped",
        "callback refused", "callback unreadable",
    }  # fmt: skip
    assert all("timestamp" in event and "level" in event for event in events)

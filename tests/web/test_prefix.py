"""A gate below a path of another address, as behind a reverse proxy."""

import pytest
from werkzeug.middleware.http_proxy import ProxyMiddleware

from approval.demo.cloud import Cloud
from approval.demo.mailbox import Mailbox
from approval.demo.serving import Server
from tests.conftest import Site, free_port, served_gate, settings_text
from tests.forms import press, words
from tests.mails import Mails


@pytest.fixture(scope="module")
def site(tmp_path_factory, store_kind):
    """A site whose gate people reach as /approvals of another server."""
    folder, port = tmp_path_factory.mktemp("site"), free_port()
    targets = {"/approvals/": {"target": f"http://127.0.0.1:{port}/", "remove_prefix": True}}
    proxy = Server(
        ProxyMiddleware(lambda environ, answer: (answer("404 Not Found", []), [])[1], targets),
        host="127.0.0.1", port=0, threads=4,
    )  # fmt: skip
    with Mailbox() as mailbox, Cloud() as cloud:
        text = settings_text(cloud, mailbox, f"public_url = {proxy.url}/approvals/")
        with served_gate(folder, text, port) as gate:
            cloud.callback_url = f"{proxy.url}/approvals/callback"
            yield Site(gate, cloud, mailbox, Mails(mailbox))
    proxy.close()


def test_links_pages_and_forms_stay_below_the_prefix(site):
    tasks = site.deploy(2)
    mail = site.mail(tasks[0])
    assert all("/approvals/" in link for link in mail.links)
    accept = next(link for link in mail.links if "/approvals/accept?" in link)
    result = press(site.gate, site.gate.get(accept), "Accept", comment="by the proxy")
    assert result.status_code == 200
    assert "by the proxy" in words(result)
    assert "/approvals/" in result.url
    review = next(link for link in mail.links if "/approvals/review?" in link)
    last = press(site.gate, site.gate.get(review), "Decline fresh-01")
    assert last.status_code == 200
    site.settle()
    assert [site.posts(task) for task in tasks] == [["continue"], ["cancel"]]

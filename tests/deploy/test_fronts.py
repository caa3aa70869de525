"""Before a served gate, a real reverse proxy with the files of `deploy/`."""

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
import requests

from approval.demo.cloud import Cloud
from approval.demo.mailbox import Mailbox
from approval.web.callback import BODY_LIMIT
from tests.conftest import Site, form_of, free_port, served_gate, settings_text, wait_until
from tests.deploy.fronts import FRONTS, Front, nobody, running
from tests.mails import Mails
from tests.watch import TOKEN

SECRET = "a-secret-of-22-characters"
SPACES = " " * 40_000  # more than what passes on might keep by the way
HALVES = (
    f"Content-Length: 50000\r\n\r\n{SPACES}",
    f"Transfer-Encoding: chunked\r\n\r\n{len(SPACES):x}\r\n{SPACES}\r\n",
)
ALLOWED, STRANGER = "127.0.0.1", "127.0.0.3"


@dataclass
class Guarded:
    """A site whose gate is reached through a reverse proxy."""

    site: Site
    front: Front
    trust: ssl.SSLContext

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        address: str = ALLOWED,
    ) -> http.client.HTTPResponse:
        """Ask for exactly this target, which no client tidies up; from an address."""
        connection = http.client.HTTPSConnection(
            "localhost", self.front.tls, timeout=20, context=self.trust, source_address=(address, 0)
        )
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        answer.body = answer.read()
        connection.close()
        return answer


@pytest.fixture(scope="module", params=list(FRONTS))
def guarded(request, tmp_path_factory, certificates, ca_file) -> Iterator[Guarded]:
    """The first of its two gates is down, so whatever it is asked goes to the second."""
    folder, port, tls = tmp_path_factory.mktemp("front"), free_port(), free_port()
    server = (
        f"public_url = https://localhost:{tls}\ncallback_secret = {SECRET}\n"
        f"trusted_proxies = 1\ncallback_from = {ALLOWED}\n"
    )
    with ExitStack() as parts:
        mailbox, cloud = parts.enter_context(Mailbox()), parts.enter_context(Cloud())
        text = settings_text(cloud, mailbox, server)
        gate = parts.enter_context(served_gate(tmp_path_factory.mktemp("site"), text, port))
        gates = [parts.enter_context(nobody()), port]
        front = parts.enter_context(
            running(request.param, folder, certificates.authority, gates, tls)
        )
        cloud.callback_url = None  # it would not know the certificate
        trust = ssl.create_default_context(cafile=str(ca_file))
        yield Guarded(Site(gate, cloud, mailbox, Mails(mailbox)), front, trust)


def target(link: str) -> str:
    """What a browser asks a server for that has opened a link."""
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


def assert_tells_nothing(log: str, *secrets: str) -> None:
    assert not TOKEN.search(log)
    for secret in (SECRET, "token=", "Referer", "referrer", "referer", *secrets):
        assert secret not in log


def test_a_task_goes_its_way_through_it_and_its_log_tells_only_where(guarded, ca_file):
    site, cloud = guarded.site, guarded.site.cloud
    tasks = cloud.deploy_machine(59)
    body = cloud.callback_body(tasks)
    assert guarded.ask("POST", f"/callback/{SECRET}", body).status == 202
    link = site.mail(tasks[0]).link("accept")
    for method in ("GET", "HEAD", "GET"):
        referer = {"Referer": link, "Authorization": f"Bearer {SECRET}"}
        assert guarded.ask(method, target(link), headers=referer).status == 200
    path, fields = form_of(link)
    assert requests.post(path, fields, verify=ca_file, timeout=20).status_code == 200
    site.settle()
    assert site.posts(tasks[0]) == ["continue"]
    wait_until(lambda: guarded.front.logs.count("/accept") == 4)
    assert "/callback" in guarded.front.logs
    assert_tells_nothing(guarded.front.logs, tasks[0])


DISGUISES = [
    "/callback/{secret}/more",
    "//callback//{secret}",
    "/callback%2F{secret}",
    "/callback/../callback/{secret}",
    "/accept?{token}",
    "/accept%3F{token}",
    "/accept/{token}",
    "//accept?{token}",
    "https://localhost/accept?{token}",
    "http://localhost/callback/{secret}",
    "/?{token}",
    "/.?{token}",
    "*?{token}",
    "{token}",
]


@pytest.mark.parametrize("disguise", DISGUISES)
def test_however_an_address_is_written_its_log_tells_no_secret(guarded, disguise):
    token = "token=Wzc3LCJiIl0.aW52YWxpZA.c2lnbmF0dXJlLW9mLTQzLXNpZ25zLWluLWJhc2U2NC11cmw"
    ends = guarded.front.logs.count("/the")
    guarded.ask("GET", disguise.format(secret=SECRET, token=token))
    assert guarded.ask("GET", "/the-end").status == 404
    wait_until(lambda: guarded.front.logs.count("/the") > ends)
    assert_tells_nothing(guarded.front.logs, "Wzc3", "c2lnbm")


@pytest.mark.parametrize("route", ["healthz", "readyz", "metrics"])
@pytest.mark.parametrize("written", ["/{}", "/{}/", "//{}", "/x/../{}", "/%{:x}{}", "/{}?x=1"])
def test_how_the_gate_is_doing_is_not_told_outside(guarded, route, written):
    inside = guarded.site.gate.get(f"/{route}")
    assert inside.status_code == 200
    parts = (ord(route[0]), route[1:]) if ":x" in written else (route,)
    answer = guarded.ask("GET", written.format(*parts))
    assert answer.status in (308, 404)
    assert b"approval" not in answer.body
    assert b"alive" not in answer.body


@pytest.mark.parametrize("claimed", [None, ALLOWED, f"{ALLOWED}, {ALLOWED}"])
def test_the_gate_sees_who_asks_whatever_they_claim(guarded, claimed):
    headers = {"X-Forwarded-For": claimed, "Forwarded": f"for={claimed}"} if claimed else {}
    path = f"/callback/{SECRET}"
    from_elsewhere = guarded.ask("POST", path, b"<odd", headers, address=STRANGER)
    assert from_elsewhere.status == 403
    assert f"{STRANGER} may not call" in json.loads(from_elsewhere.body)["error"]
    assert guarded.ask("POST", path, b"<odd", headers).status == 400


def test_the_gate_itself_refuses_what_is_too_long_and_the_proxy_what_is_much_too_long(guarded):
    path = f"/callback/{SECRET}"
    assert guarded.ask("POST", path, b" " * BODY_LIMIT).status == 400
    longer = guarded.ask("POST", path, b" " * (BODY_LIMIT + 1))
    assert longer.status == 413
    assert "longer than" in json.loads(longer.body)["error"]
    headers = {"Content-Length": str(3 * BODY_LIMIT)}
    assert guarded.ask("POST", path, b"", headers).status == 413
    wait_until(lambda: guarded.front.logs.count("413") >= 2)
    assert_tells_nothing(guarded.front.logs)


def test_clear_text_leads_to_tls_and_is_logged_no_better(guarded):
    where = f"http://localhost:{guarded.front.plain}/accept?token={SECRET}"
    answer = requests.get(where, allow_redirects=False, timeout=20)
    assert answer.status_code == 308
    assert answer.headers["Location"].startswith("https://")
    assert guarded.ask("GET", "/").getheader("Strict-Transport-Security")
    assert_tells_nothing(guarded.front.logs)


@contextmanager
def noting() -> Iterator[tuple[int, list[str]]]:
    """Somebody who notes what begins to be asked, before it is there whole; and at which port."""
    begun: list[str] = []

    class Noting(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            begun.append(self.path)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Noting) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port, begun
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("kind", FRONTS)
def test_a_request_goes_on_only_when_it_is_here_whole(kind, tmp_path, certificates, ca_file):
    trust = ssl.create_default_context(cafile=str(ca_file))
    with noting() as (port, begun), ExitStack() as parts:
        authority = certificates.authority
        front = parts.enter_context(running(kind, tmp_path, authority, [port, port]))
        url = f"https://localhost:{front.tls}"
        for beginning in HALVES:
            raw = parts.enter_context(socket.create_connection(("127.0.0.1", front.tls), 20))
            half = parts.enter_context(trust.wrap_socket(raw, server_hostname="localhost"))
            half.sendall(f"POST /half HTTP/1.1\r\nHost: localhost\r\n{beginning}".encode())
            whole = requests.post(f"{url}/whole", b"<tasks/>", verify=ca_file, timeout=20)
            assert whole.status_code == 204
        large = b" " * (BODY_LIMIT + 1)
        assert requests.post(f"{url}/large", large, verify=ca_file, timeout=20).ok
    assert begun == ["/whole", "/whole", "/large"]


@pytest.mark.parametrize("kind", FRONTS)
def test_with_no_gate_behind_it_its_log_tells_no_secret(kind, tmp_path, certificates, ca_file):
    with nobody() as first, nobody() as second, ExitStack() as parts:
        gates = [first, second]
        front = parts.enter_context(running(kind, tmp_path, certificates.authority, gates))
        for path in ("/accept?task=1&token=a-token", f"/callback/{SECRET}"):
            url = f"https://localhost:{front.tls}{path}"
            headers = {"Referer": url}
            answer = requests.post(url, headers=headers, verify=ca_file, timeout=30)
            assert answer.status_code in (502, 503)
        wait_until(lambda: "/callback" in front.logs)
        assert_tells_nothing(front.logs, "a-token", "task=")

"""A mail estate whose scanners open, preview, run and follow everything decides nothing."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from approval.cli import main, scanning
from tests.conftest import free_port
from tests.test_browser import browser, open_page  # noqa: F401 - fixtures


@pytest.fixture
def asked(site):
    """The mail about two tasks, and what must be the same when the scanners are through."""
    tasks = site.deploy(2)
    mail = site.mail(tasks[0])
    site.settle()
    before = (site.gate.tables(), len(site.cloud.calls), len(site.mails.all()))
    yield mail
    site.settle()
    assert (site.gate.tables(), len(site.cloud.calls), len(site.mails.all())) == before
    assert site.gate.press(mail.link("accept", task=tasks[0])).status_code == 200
    site.settle()
    assert [site.posts(task) for task in tasks] == [["continue"], []]


def links(mail):
    return list(dict.fromkeys(mail.links))


def test_scanners_that_fetch_in_every_way_change_nothing(site, asked):
    seen = list(scanning.scan(links(asked)))
    assert {each.method for each in seen} == {"GET", "HEAD", "OPTIONS"}
    assert {each.status for each in seen} == {200}
    assert len(seen) > scanning.TIMES + 10 * len(links(asked))


def test_a_browser_that_runs_scripts_and_idles_changes_nothing(asked, open_page):  # noqa: F811
    for link in links(asked):
        page = open_page(link)
        page.mouse.move(200, 300)
        page.mouse.wheel(0, 2000)
        page.wait_for_timeout(300)
        assert page.url == link


SUBMIT_WHAT_SUBMITS_ITSELF = """() => {
  window.dispatchEvent(new Event("load"));
  document.dispatchEvent(new Event("DOMContentLoaded"));
  const acting = "script, [onload], [onclick], [onmouseover], meta[http-equiv=refresh]";
  return document.querySelectorAll(acting).length;
}"""


def test_no_page_submits_itself(asked, open_page):  # noqa: F811
    for link in links(asked):
        page = open_page(link)
        assert page.evaluate(SUBMIT_WHAT_SUBMITS_ITSELF) == 0
        assert page.url == link


def test_a_browser_that_follows_every_link_of_every_page_changes_nothing(
    site,
    asked,
    open_page,  # noqa: F811
):
    waiting, opened = links(asked), []
    while waiting and len(opened) < 40:
        link = waiting.pop(0)
        if link in opened:
            continue
        opened.append(link)
        page = open_page(link)
        found = page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")
        assert all(url.startswith(site.gate.url) for url in found)
        waiting += [url for url in found if "#" not in url]
    assert set(links(asked)) <= set(opened)


@pytest.mark.parametrize("route", ["accept", "multiple", "review"])
def test_an_operator_can_aim_the_scanners_at_a_link(asked, route):
    said = []
    link = next(link for link in links(asked) if f"/{route}?" in link)
    assert scanning.scan_test(link, said.append)
    assert any(line.endswith("200") and "GET" in line for line in said)
    assert "as far as it shows, nothing was decided" in said[-1]
    assert "token=" not in "".join(said)


def test_the_scan_says_if_a_link_decides_by_being_opened(tmp_path):
    from tests.conftest import served_site

    with served_site(tmp_path, "[links]\none_click = yes") as site:
        [task] = site.deploy()
        said = []
        assert not scanning.scan_test(site.mail(task).link("decline"), said.append)
        assert any(line.startswith("problem") for line in said)


def test_a_link_that_does_not_work_is_no_test(site):
    said = []
    assert not scanning.scan_test(f"{site.gate.url}/accept?task=1&token=x", said.append)
    assert said == ["problem  GET     /accept      404: take a link that still works from a mail"]


@pytest.mark.parametrize("address", ["/", "/healthz", "/accept?task=1", "/home?token=x"])
def test_an_address_that_is_no_link_of_a_mail_is_not_asked(scripted, address):
    said = []
    assert not scanning.scan_test(f"http://127.0.0.1:{scripted.port}{address}", said.append)
    assert [line.partition(":")[0] for line in said] == ["problem  this is no link of a mail"]
    assert scripted.heard == []


def test_an_address_that_cannot_be_one_is_no_link_of_a_mail():
    said = []
    assert not scanning.scan_test("https://[1:2]/accept?task=a&token=b", said.append)
    assert [line.partition(":")[0] for line in said] == ["problem  this is no link of a mail"]


def test_a_host_that_is_down_is_called_so():
    place, said = f"127.0.0.1:{free_port()}", []
    assert not scanning.scan_test(f"http://{place}/accept?task=1&token=x", said.append)
    assert said == [
        f"problem  nobody answers at {place}: see that the gate runs, and that it can be reached "
        "from here"
    ]


@pytest.fixture
def serve_page(certificates):
    """Serves a page with TLS under a name; yields the link to it."""

    @contextmanager
    def serve(name):
        class Page(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", "5")
                self.end_headers()
                self.wfile.write(b"hello" if self.command != "HEAD" else b"")

            do_HEAD = do_OPTIONS = do_GET

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            def get_request(self):
                connection, address = super().get_request()
                wrapped = certificates.server(name).wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
                return wrapped, address

            def handle_error(self, *_):
                pass  # who does not trust it hangs up

        with Server(("127.0.0.1", 0), Page) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            yield f"https://127.0.0.1:{server.server_port}/accept?task=1&token=secret"
            server.shutdown()
            thread.join()

    return serve


def test_an_authority_that_is_not_known_is_named_as_the_reason_and_can_be_given(
    serve_page, ca_file
):
    with serve_page("127.0.0.1") as link:
        refused = CliRunner().invoke(main, ["scan-test", link])
        trusted = CliRunner().invoke(main, ["scan-test", link, "--ca-file", str(ca_file)])
    assert refused.exit_code == 1
    assert "certificate verify failed" in refused.output
    assert "--ca-file" in refused.output
    assert "secret" not in refused.output
    assert (trusted.exit_code, "nothing was decided" in trusted.output) == (0, True)


def test_a_certificate_of_another_name_is_named_as_the_reason(serve_page, ca_file):
    with serve_page("gate.example") as link:
        told = CliRunner().invoke(main, ["scan-test", link, "--ca-file", str(ca_file)])
    assert told.exit_code == 1
    assert "mismatch" in told.output


def test_only_the_host_that_was_named_is_asked():
    page = scanning.Seen(
        "GET",
        "https://gate.example/review?token=x",
        200,
        b"<a href='accept?a=1'>a</a><a href='https://evil.example/'>b</a>"
        b"<a href='http://gate.example/'>c</a><a href='//evil.example'>d</a><a href='#x'>e</a>",
    )
    assert scanning.links_of(page) == [
        "https://gate.example/accept?a=1",
        "https://gate.example/review?token=x",
    ]


@pytest.mark.parametrize(
    "page",
    [
        b"<p><script>document.forms[0].submit()</script>",
        b"<body onload='document.forms[0].submit()'>x",
        b"<meta http-equiv='refresh' content='0;url=/accept'><p>x",
    ],
)
def test_a_page_that_would_act_by_itself_is_noticed(page):
    assert scanning.self_submitting(scanning.Seen("GET", "https://gate.example", 200, page))


def test_the_command_ends_with_the_verdict(asked, site):
    verdict = CliRunner().invoke(main, ["scan-test", links(asked)[0]])
    assert (verdict.exit_code, "nothing was decided" in verdict.output) == (0, True)
    assert CliRunner().invoke(main, ["scan-test", f"{site.gate.url}/nowhere"]).exit_code == 1

"""What the platform's answers mean, and what it may do to us."""

import base64
import re
import socket
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from abiquo_samples import MACHINE, SECRET, body, collection, held, task

from approval.model import Action, PlatformState
from approval.platforms import PlatformError
from approval.platforms.abiquo import Settings
from approval.platforms.abiquo.connections import open_pool
from tests.conftest import wait_until
from tests.scripted import HANDSHAKE, dripping_server

TASK = f"{MACHINE}/tasks/t1"
CONTINUE = f"{TASK}/action/continue"
REFUSAL = body(collection({"code": "TASK-2", "message": "The state is not in\nthe state"}))


def release(abiquo, message="ok", action=Action.ACCEPT):
    abiquo.release(held(), action, message, "job-1.1")


def failure(abiquo, call=release):
    with pytest.raises(PlatformError) as failed:
        call(abiquo)
    assert SECRET not in str(failed.value)
    return failed.value


@pytest.mark.parametrize("status", [200, 202, 204])
def test_the_documented_answers_are_success(server, abiquo, status):
    server.answers[CONTINUE] = (status, {}, b"")
    release(abiquo)


@pytest.mark.parametrize("content", [b"<html><p>Sign in</p></html>", b"Sign in", b"\x00"])
def test_success_in_the_words_of_a_proxy_is_none(server, abiquo, content):
    server.answers[CONTINUE] = (200, {}, content)
    failed = failure(abiquo)
    assert (failed.permanent, failed.alert) == (False, True)
    assert "Sign in" not in str(failed)


@pytest.mark.parametrize("content", [b" ", b"<acceptedrequest/>", b'{"links": []}'])
def test_success_in_the_words_of_the_platform_is_success(server, abiquo, content):
    server.answers[CONTINUE] = (202, {}, content)
    release(abiquo)


@pytest.mark.parametrize(
    ("status", "permanent", "alert"),
    [
        (201, False, True),
        (206, False, True),
        (301, False, True),
        (302, False, True),
        (307, False, True),
        (308, False, True),
        (400, True, False),
        (401, False, True),
        (403, False, True),
        (404, True, False),
        (405, True, False),
        (406, True, True),
        (408, False, False),
        (409, True, False),
        (415, True, True),
        (425, False, False),
        (429, False, False),
        (500, False, False),
        (502, False, False),
        (503, False, False),
        (599, False, False),
    ],
)
@pytest.mark.parametrize("content", [REFUSAL, b"", b"<html><p>Sorry</html>"])
def test_other_answers_are_failures_of_their_kind(
    server, abiquo, status, permanent, alert, content
):
    server.answers[CONTINUE] = (status, {}, content)
    failed = failure(abiquo)
    assert (failed.permanent, failed.alert) == (permanent, alert)
    assert str(failed).startswith(f"POST {CONTINUE}: {status}")
    assert failed.said.startswith(f"{status}")
    assert "Sorry" not in str(failed)


@pytest.mark.parametrize(
    "content",
    [
        REFUSAL,
        b"<errors><error><code>TASK-2</code><message>The state is not in the state</message>"
        b"</error></errors>",
        body({"code": "TASK-2", "message": "The state is not in the state"}),
    ],
)
def test_the_platforms_own_words_are_repeated(server, abiquo, content):
    server.answers[CONTINUE] = (409, {}, content)
    said = "409 Conflict, TASK-2 The state is not in the state"
    assert str(failure(abiquo)) == f"POST {CONTINUE}: {said}"


def test_the_platforms_own_words_are_cut(server, abiquo):
    wordy = body(collection({"code": "X", "message": "very " * 1000}))
    server.answers[CONTINUE] = (409, {}, wordy)
    assert len(str(failure(abiquo))) < 400


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("120", 120),
        ("999999", 999_999),
        ("9" * 40, None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_wish_to_be_left_alone_is_heard(server, abiquo, status, asked, seconds):
    headers = {} if asked is None else {"Retry-After": asked}
    server.answers[CONTINUE] = (status, headers, b"")
    wish = failure(abiquo).retry_after
    assert wish == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize("hours", [0.5, 48])
def test_a_wish_may_be_a_date(server, abiquo, hours):
    date = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    server.answers[CONTINUE] = (503, {"Retry-After": date}, b"")
    wish = failure(abiquo).retry_after
    assert abs(wish - timedelta(hours=hours)) < timedelta(seconds=10)


@pytest.mark.parametrize("content", [b"", b"<html>Sign in</html>", b"[]", b"<br>", b"{"])
def test_an_answer_that_is_no_document_is_for_the_operator(server, abiquo, content):
    server.answers[f"{MACHINE}/tasks/t1"] = content
    failed = failure(abiquo, lambda abiquo: abiquo.look(held()))
    assert (failed.permanent, failed.alert) == (False, True)


def test_what_is_sent(server, abiquo):
    server.answers[CONTINUE] = (204, {}, b"")
    release(abiquo, "accepted by Zoë:\r\n\x00 fine\u2028then")
    (call,) = server.calls
    assert (call.method, call.path) == ("POST", CONTINUE)
    assert call.body.decode() == "accepted by Zoë: fine then"
    assert call.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert call.headers["Idempotency-Key"] == "job-1.1"
    account = base64.b64decode(call.headers["Authorization"].removeprefix("Basic "))
    assert account.decode() == f"gäte:{SECRET}"


def test_a_decline_goes_to_the_cancel_link(server, abiquo):
    server.answers[f"{MACHINE}/tasks/t1/action/cancel"] = (204, {}, b"")
    release(abiquo, "x" * 5000, Action.DECLINE)
    assert server.calls[0].body == b"x" * 1500


def test_without_a_message_nothing_is_said_about_its_type(server, abiquo):
    server.answers[CONTINUE] = (204, {}, b"")
    release(abiquo, "")
    assert "Content-Type" not in server.calls[0].headers


@pytest.mark.parametrize(
    ("version", "accept"),
    [
        ("", "application/vnd.abiquo.task+json, application/vnd.abiquo.task+xml;q=0.9"),
        (
            "3.10",
            "application/vnd.abiquo.task+json; version=3.10, "
            "application/vnd.abiquo.task+xml; version=3.10;q=0.9",
        ),
    ],
)
def test_both_languages_are_asked_for(server, connect, version, accept):
    server.answers[f"{MACHINE}/tasks/t1"] = task()
    connect(server, api_version=version).look(held())
    assert server.calls[0].headers["Accept"] == accept


def test_a_token_signs_in_too(server, connect):
    server.answers[CONTINUE] = (204, {}, b"")
    release(connect(server, api_token="abc", api_username="", api_password=None))
    assert server.calls[0].headers["Authorization"] == "Token abc"


@pytest.mark.parametrize("status", [200, 204])
def test_connections_are_used_again_and_cookies_are_not_kept(server, abiquo, status):
    server.answers[CONTINUE] = (status, {"Set-Cookie": "JSESSIONID=1; Path=/"}, b"")
    for _ in range(3):
        release(abiquo)
    assert len({call.connection for call in server.calls}) == 1
    assert not any("Cookie" in call.headers for call in server.calls)


def test_closing_ends_all_connections(server, connect):
    before = set(threading.enumerate())  # the server has a thread for each connection
    server.answers[CONTINUE] = (204, {}, b"")
    abiquo = connect(server)
    release(abiquo)
    assert set(threading.enumerate()) - before
    abiquo.close()
    wait_until(lambda: not set(threading.enumerate()) - before)


@pytest.mark.parametrize("root", ["", "/api", "/some/prefix/api"])
def test_calls_go_to_paths_below_the_location(server, connect, root):
    abiquo = connect(server, api_location=f"http://127.0.0.1:{server.port}{root}")
    with suppress(PlatformError):
        abiquo.look(held())
    assert server.calls[0].path in {f"{root}/{TASK}", TASK}  # which it shows without /api/


def test_what_is_asked_for_is_written_as_a_query(server, connect):
    server.answers["admin/enterprises"] = collection()
    abiquo = connect(server)
    abiquo._client.get("admin/enterprises", "enterprises", {"limit": "0", "has": "a&b c/ö"})
    assert server.calls[0].path == "admin/enterprises?limit=0&has=a%26b+c%2F%C3%B6"


@pytest.mark.parametrize(
    ("location", "host", "port"),
    [
        ("http://cloud.example.com/api", "cloud.example.com", 80),
        ("https://cloud.example.com/api", "cloud.example.com", 443),
        ("https://cloud.example.com:8443/api", "cloud.example.com", 8443),
        ("http://[2001:db8::1]/api", "2001:db8::1", 80),
        ("https://[2001:db8::1]/api", "2001:db8::1", 443),
        ("https://[2001:db8::1]:8443/api", "2001:db8::1", 8443),
    ],
)
def test_connections_are_made_to_the_host_and_the_port_of_the_location(location, host, port):
    settings = Settings(api_location=location, api_username="gate", api_password=SECRET)
    connection = open_pool(settings)._new_conn()
    assert (connection.host, connection.port) == (host, port)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_follow_no_redirection(serve, connect, status):
    here, elsewhere = serve(), serve()
    elsewhere.answers[CONTINUE] = (204, {}, b"")
    target = f"http://127.0.0.1:{elsewhere.port}/api/{CONTINUE}"
    here.answers[CONTINUE] = (status, {"Location": target}, b"")
    assert "is api_location right?" in str(failure(connect(here)))
    assert elsewhere.calls == []


def test_the_environment_has_no_effect(serve, connect, monkeypatch, tmp_path):
    here, proxy = serve(), serve()
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    here.answers[CONTINUE] = (204, {}, b"")
    release(connect(here))
    assert here.calls[0].headers["Authorization"].startswith("Basic ")
    assert proxy.calls == []


def test_nobody_there_is_worth_another_try(server, connect):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening
        location = f"http://127.0.0.1:{taken.getsockname()[1]}/api"
        failed = failure(connect(server, api_location=location))
    assert (failed.permanent, failed.alert) == (False, False)
    assert str(failed) == f"POST {CONTINUE}: [Errno 111] Connection refused"


def dropped(handler):
    handler.close_connection = True


def cut_off(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    handler.close_connection = True


def cut_off_chunks(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{")
    handler.close_connection = True


def nonsense(handler):
    handler.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n")
    handler.close_connection = True


def silent(handler):
    handler.server.script.over.wait(5)
    handler.close_connection = True


def silent_amid(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    silent(handler)


def endless(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    for _ in range(100):
        handler.wfile.write(b" " * 1_000_000)
        handler.server.script.sent = getattr(handler.server.script, "sent", 0) + 1


def packed(handler):
    handler.wfile.write(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"
    )


TROUBLE = [
    dropped,
    cut_off,
    cut_off_chunks,
    nonsense,
    silent,
    silent_amid,
    endless,
    packed,
]


@pytest.mark.parametrize("trouble", TROUBLE, ids=lambda trouble: trouble.__name__)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_trouble_on_the_way_is_worth_another_try(server, connect, trouble, method):
    path = CONTINUE if method == "POST" else f"{MACHINE}/tasks/t1"
    server.answers[path] = trouble
    call = release if method == "POST" else lambda abiquo: abiquo.look(held())
    failed = failure(connect(server, api_timeout=0.3), call)
    assert (failed.permanent, failed.alert) == (False, False)
    assert str(failed).startswith(f"{method} {path}: ")
    assert getattr(server, "sent", 0) < 50  # megabytes


DRIPPING = {
    "status": (b"HTTP/1.1 200 ", b"x"),
    "header": (b"HTTP/1.1 204 No Content\r\nX: ", b"x"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b" "),
    "chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "redirection": (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 1000\r\n\r\n", b" "),
}


@pytest.mark.parametrize(("start", "drop"), DRIPPING.values(), ids=DRIPPING)
def test_an_answer_that_never_ends_is_given_up_whatever_part_of_it_drips(connect, start, drop):
    with dripping_server(start, drop) as port:
        location = f"http://127.0.0.1:{port}/api"
        failed = failure(connect(None, api_location=location, api_timeout=0.3))
    assert (failed.permanent, failed.alert) == (False, False)
    assert re.search("too long|timed out", str(failed))


def test_a_handshake_that_never_ends_is_given_up(connect):
    with dripping_server(HANDSHAKE) as port:
        location = f"https://127.0.0.1:{port}/api"
        failed = failure(connect(None, api_location=location, api_timeout=0.3))
    assert (failed.permanent, failed.alert) == (False, False)
    assert "timed out" in str(failed)


def test_the_size_of_a_redirection_is_limited_too(server, abiquo):
    def endless_redirection(handler):
        handler.wfile.write(
            b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 100000000\r\n\r\n"
        )
        for megabytes in range(100):
            handler.wfile.write(b" " * 1_000_000)
            server.sent = megabytes

    server.answers[CONTINUE] = endless_redirection
    assert "is larger than" in str(failure(abiquo))
    assert server.sent < 50


def test_trouble_leaves_the_next_call_alone(server, abiquo):
    for trouble in (dropped, cut_off, nonsense, endless):
        server.answers[CONTINUE] = trouble
        failure(abiquo)
        server.answers[CONTINUE] = (204, {}, b"")
        release(abiquo)


def test_an_answer_in_chunks_is_read(server, abiquo):
    def chunked(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        content = body(task())
        for part in (content[:7], content[7:]):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        handler.wfile.write(b"0\r\n\r\n")

    server.answers[f"{MACHINE}/tasks/t1"] = chunked
    assert abiquo.look(held()).state is PlatformState.HELD
    assert abiquo.look(held()).state is PlatformState.HELD
    assert len({call.connection for call in server.calls}) == 1


def test_only_plain_paths_are_called(server, abiquo):
    forged = held(machine="cloud/../../evil")
    failed = failure(abiquo, lambda abiquo: abiquo.look(forged))
    assert failed.permanent
    assert server.calls == []

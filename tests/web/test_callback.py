"""What a platform is answered when it announces held tasks."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.conftest import MONA, served_site

ARTICLE = Path(__file__).parents[1] / "platforms/data/article.xml"
ARTICLE_TASK = "d8113ffd-c3d9-4834-8b3c-1b51736c9b8b"
LIMIT = 2**20
OLD, NEW = "an-old-secret-of-22-chars", "a-new-secret-of-22-chars"


def silent(site):
    """Let tests send the callbacks."""
    site.cloud.callback_url = None
    return site


@pytest.fixture(scope="module")
def site(tmp_path_factory, store_kind):
    with served_site(tmp_path_factory.mktemp("site")) as site:
        yield silent(site)


def body_of(site, tasks):
    return site.cloud.callback_body(tasks)


def test_a_callback_is_answered_with_the_request_and_its_tasks(site):
    tasks = site.deploy(2)
    answer = site.gate.callback(body_of(site, tasks))
    assert answer.status_code == 202
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["tasks"] == tasks
    assert answer.json()["request"] in [row[0] for row in site.gate.tables()["approval_requests"]]


def test_a_repeat_is_answered_with_200_and_sends_nothing_twice(site):
    [task] = site.deploy()
    body = body_of(site, [task])
    first = site.gate.callback(body)
    site.settle()
    mails = len(site.mails.all())
    before = site.gate.tables()
    again = site.gate.callback(body)
    site.settle()
    assert (again.status_code, again.json()) == (200, first.json())
    assert site.gate.tables() == before
    assert len(site.mails.all()) == mails


def test_of_a_repeat_in_part_only_the_new_tasks_are_taken(site):
    tasks = site.deploy(3)
    first = site.gate.callback(body_of(site, tasks[:1]))
    second = site.gate.callback(body_of(site, tasks))
    assert (second.status_code, second.json()["tasks"]) == (202, tasks[1:])
    assert second.json()["request"] != first.json()["request"]
    site.settle()
    asked = [mail for mail in site.mails.all() if mail.to == MONA and tasks[0] in mail.text]
    assert len(asked) == 1


def test_a_repeat_after_the_decision_is_200_never_410_and_reopens_nothing(site):
    [task] = site.deploy()
    body = body_of(site, [task])
    site.gate.callback(body)
    assert site.gate.press(site.mail(task).link("accept")).status_code == 200
    site.settle()
    before = site.gate.tables()["tasks"]
    assert site.gate.callback(body).status_code == 200
    site.settle()
    assert site.gate.tables()["tasks"] == before
    assert site.posts(task) == ["continue"]


def test_the_same_callback_from_ten_threads_is_taken_once(site):
    [task] = site.deploy()
    body = body_of(site, [task])
    with ThreadPoolExecutor(10) as threads:
        statuses = list(threads.map(lambda _: post(site, body).status_code, range(10)))
    assert sorted(statuses) == [200] * 9 + [202]
    site.settle()
    assert len([row for row in site.gate.tables()["tasks"] if task in row]) == 1
    assert len([mail for mail in site.mails.all() if mail.to == MONA and task in mail.text]) == 1


def post(site, body, path="/callback", **options):
    return requests.post(f"{site.gate.url}{path}", data=body, timeout=10, **options)


@pytest.mark.parametrize("kind", ["json", "xml"])
@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/xml",
        "application/json",
        "application/vnd.abiquo.tasks+json; version=3.10",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain; charset=utf-16",
    ],
)
def test_xml_and_json_are_told_apart_by_looking(site, kind, content_type):
    [task] = site.deploy()
    body = body_of(site, [task]) if kind == "json" else as_xml(site, task)
    answer = site.gate.callback(body, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["tasks"]) == (202, [task])


def as_xml(site, task):
    """The callback of the article, about another task."""
    held = site.cloud.world.tasks[task]
    text = ARTICLE.read_text("utf-8").replace(ARTICLE_TASK, task)
    old = "cloud/virtualdatacenters/3/virtualappliances/9/virtualmachines/59"
    return text.replace(old, held.machine.path).encode()


def test_the_callback_of_the_article_is_accepted_mailed_and_decided(site):
    body = ARTICLE.read_bytes()
    assert site.cloud.adopt(body) == [ARTICLE_TASK]
    assert site.gate.callback(body, headers={"Content-Type": "application/xml"}).status_code == 202
    mail = site.mail(ARTICLE_TASK)
    assert "web-01" in mail.subject
    assert site.gate.press(mail.link("accept")).status_code == 200
    site.settle()
    assert site.posts(ARTICLE_TASK) == ["continue"]


def test_500_tasks_are_one_callback_and_one_mail_that_is_not_clipped(site):
    tasks = site.deploy(500)
    answer = site.gate.callback(without_jobs(body_of(site, tasks)))
    assert (answer.status_code, answer.json()["tasks"]) == (202, tasks)
    mail = site.mails.to(MONA, "and 499 more")
    assert len(mail.message.as_bytes()) < 100_000
    review = site.gate.get(mail.link("review"))
    assert review.status_code == 200
    assert all(task in review.text for task in tasks)


def without_jobs(body):
    """The callback without what makes 500 tasks longer than a body may be."""
    document = json.loads(body)
    for task in document["collection"]:
        del task["jobs"]
    return json.dumps(document).encode()


def test_more_than_500_tasks_are_refused(site):
    answer = site.gate.callback(without_jobs(body_of(site, site.deploy(501))))
    assert (answer.status_code, answer.json()["error"]) == (400, "501 tasks where 1 to 500 belong")


def lacking(rel):
    def spoil(body):
        document = json.loads(body)
        last = document["collection"][-1]
        last["links"] = [link for link in last["links"] if link["rel"] != rel]
        return json.dumps(document).encode()

    return spoil


SPOILT = {
    "empty": (lambda body: b"", "empty"),
    "text": (lambda body: b"hello", ""),
    "list": (lambda body: b"[]", ""),
    "null": (lambda body: b"null", ""),
    "object without tasks": (lambda body: b"{}", ""),
    "no tasks": (lambda body: b"<tasks/>", "0 tasks"),
    "a page": (lambda body: b"<html><body/></html>", "web page"),
    "cut off": (lambda body: body[:-10], ""),
    "wrong encoding": (lambda body: b"\xff\xfe" + body, ""),
    "document type": (lambda body: b"<!DOCTYPE tasks><tasks/>", ""),
    "no continue link": (lacking("continue"), "continue"),
    "no cancel link": (lacking("cancel"), "cancel"),
    "no requester": (lacking("user"), "user"),
    "no machine": (lacking("target"), ""),
}


@pytest.mark.parametrize(("spoil", "reason"), SPOILT.values(), ids=SPOILT)
def test_what_cannot_be_read_is_refused_in_words_and_nothing_is_stored(site, spoil, reason):
    body = spoil(body_of(site, site.deploy(2)))
    site.settle()
    before = site.gate.tables()
    answer = site.gate.callback(body)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]
    assert len(answer.json()["error"]) > 10
    assert site.gate.tables() == before


def test_a_compressed_body_is_refused(site):
    answer = site.gate.callback(body_of(site, site.deploy()), headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 400
    assert "gzip" in answer.json()["error"]


@pytest.mark.parametrize(("size", "status"), [(LIMIT, 202), (LIMIT + 1, 413)])
def test_a_body_of_one_mebibyte_is_taken_and_one_byte_more_is_not(site, size, status):
    body = body_of(site, site.deploy()).ljust(size)
    answer = site.gate.callback(body)
    assert answer.status_code == status
    assert ("error" in answer.json()) == (status == 413)


@pytest.mark.parametrize(("size", "status"), [(LIMIT, 202), (LIMIT + 1, 413)])
def test_the_limit_counts_for_chunked_bodies_too(site, size, status):
    body = body_of(site, site.deploy()).ljust(size)
    site.settle()
    before = site.gate.tables()
    answer = raw(site, b"Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (size, body))
    assert f" {status} " in answer.splitlines()[0]
    if status == 413:
        assert f"the body is longer than {LIMIT} bytes" in answer
        assert site.gate.tables() == before


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (b"Content-Length: 1000000000", b""),
        (b"Transfer-Encoding: chunked", b"%x\r\n%s\r\n" % (2 * LIMIT, b" " * 2 * LIMIT)),
    ],
    ids=["announced", "chunked"],
)
def test_a_huge_body_is_refused_before_it_has_come_and_in_the_same_words(site, header, body):
    head, _, answer = raw(site, header, body).partition("\r\n\r\n")
    assert " 413 " in head.splitlines()[0]
    assert "Connection: close" in head
    assert "Content-Security-Policy" in head
    assert json.loads(answer) == {"error": f"the body is longer than {LIMIT} bytes"}


def raw(site, header, body):
    """Post by hand; returns the answer."""
    port = urlsplit(site.gate.url).port
    head = b"POST /callback HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n%s\r\n\r\n" % header
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head + body)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_is_a_callback(site, method):
    answer = site.gate.session.request(method, f"{site.gate.url}/callback", timeout=10)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert answer.json()["error"]


def test_links_do_not_follow_the_host_that_the_caller_names(site):
    [task] = site.deploy()
    headers = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "gopher",
        "Forwarded": "host=evil.example",
    }
    assert site.gate.callback(body_of(site, [task]), headers=headers).status_code == 202
    mail = site.mail(task)
    assert all(link.startswith(f"{site.gate.url}/") for link in mail.links)
    page = site.gate.get(mail.link("accept"), headers=headers)
    assert "evil.example" not in mail.text + mail.html + page.text


def test_without_secret_configured_a_path_below_the_callback_is_unknown_territory(site):
    answer = site.gate.post("/callback/anything", body_of(site, site.deploy()))
    assert answer.status_code == 401


def test_while_the_store_is_down_the_answer_is_503_and_afterwards_it_works_again(tmp_path):
    with served_site(tmp_path) as site:
        body = body_of(silent(site), site.deploy())
        site.gate.store.change("ALTER TABLE tasks RENAME TO away")
        answer = site.gate.callback(body)
        assert answer.status_code == 503
        assert answer.json()["error"]
        assert int(answer.headers["Retry-After"]) > 0
        site.gate.store.change("ALTER TABLE away RENAME TO tasks")
        assert site.gate.callback(body).status_code == 202


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, store_kind):
    """A gate that knows two secrets, as while one is being replaced."""
    with served_site(tmp_path_factory.mktemp("guarded"), f"callback_secret = {OLD} {NEW}") as site:
        yield silent(site)


@pytest.mark.parametrize("secret", [OLD, NEW])
@pytest.mark.parametrize(
    "way",
    [
        lambda secret: {"path": f"/callback/{secret}"},
        lambda secret: {"auth": ("", secret)},
        lambda secret: {"auth": ("abiquo", secret)},
        lambda secret: {"path": "/callback/wrong", "auth": ("abiquo", secret)},
    ],
    ids=["path", "password", "user and password", "wrong path, right password"],
)
def test_the_secret_may_stand_in_the_path_or_in_the_login(guarded, secret, way):
    body = body_of(guarded, guarded.deploy())
    assert post(guarded, body, **way(secret)).status_code == 202


@pytest.mark.parametrize(
    "way",
    [
        {},
        {"path": "/callback/"},
        {"path": "/callback/wrong"},
        {"path": f"/callback/{NEW[:-1]}"},
        {"path": f"/callback/{NEW}x"},
        {"path": f"/callback/{NEW.upper()}"},
        {"path": f"/callback/{OLD}%20{NEW}"},
        {"path": "/callback/%C3%A9%FF"},
        {"auth": ("", "")},
        {"auth": (NEW[:-1], "wrong")},
        {"auth": (NEW, "")},  # proxies write user names into their logs
        {"auth": (NEW, "wrong")},
        {"headers": {"Authorization": f"Bearer {NEW}"}},
        {"headers": {"Authorization": "Basic !!!"}},
        {"path": f"/callback?secret={NEW}"},
    ],
)
@pytest.mark.parametrize("readable", [True, False], ids=["readable", "unreadable"])
def test_without_the_secret_nothing_is_read_or_stored(guarded, way, readable):
    body = body_of(guarded, guarded.deploy()) if readable else b"<not even xml"
    guarded.settle()
    before = guarded.gate.tables()
    answer = post(guarded, body, **way)
    assert answer.status_code == 401
    assert answer.json() == {"error": "the callback secret is missing or wrong"}
    assert guarded.gate.tables() == before
    assert NEW not in answer.text


def test_a_refused_login_says_how_to_log_in_as_json(guarded):
    answer = post(guarded, b"")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert answer.json() == {"error": "the callback secret is missing or wrong"}

"""What is fed: each target takes any bytes and raises only if a promise was broken."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers

from approval.links import REQUEST, TASK, Link, LinkInvalid, Links
from approval.platforms import CallbackError
from approval.platforms.abiquo import callback, hrefs
from approval.web import signatures
from approval.web.signatures import SignatureWrong

ARTICLE = Path(__file__).parents[1] / "platforms/data/article.xml"
NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
LOCATION = "https://cloud.example.com/api"
ROOT = "/api"
SHAPES = [hrefs.ENTERPRISE, hrefs.USER, hrefs.ROLE, hrefs.DATACENTER, hrefs.APPLIANCE,
          hrefs.MACHINE, hrefs.TEMPLATE]  # fmt: skip
LINKS = Links(["an old key, long enough", "a new key, long enough"], LOCATION, timedelta(days=7))
MINTED = {
    (TASK, LINKS.token(TASK, 7, 3, NOW)): Link(7, 3, NOW),
    (REQUEST, LINKS.token(REQUEST, 7, "7f3c0a52", NOW)): Link(7, "7f3c0a52", NOW),
}
KEY = b"k" * 32


def reads_callbacks(body: bytes) -> None:
    """A body is refused in words, or each of its tasks has what the platform must be told by."""
    try:
        read = callback.read(body, {}, ROOT)
    except CallbackError as error:
        _says_one_line(str(error))
        return
    assert 1 <= len(read.tasks) <= callback.MAX_TASKS
    for task in read.tasks:
        assert hrefs.TASK_ID.fullmatch(task.id)
        for rel in ("continue", "cancel"):
            assert task.links[rel].endswith(f"/tasks/{task.id}/action/{rel}")
        for path in task.links.values():
            _stays_below(path)


def checks_hrefs(data: bytes) -> None:
    """An href is refused, or its path joined to our location leads below it."""
    href = data.decode("utf-8", "surrogateescape")
    for shape in SHAPES:
        try:
            path = hrefs.shaped(href, shape, ROOT)
        except hrefs.HrefError:
            continue
        assert shape.fullmatch(path)
        _stays_below(path)
    try:
        _stays_below(hrefs.path_of(href, ROOT))
    except hrefs.HrefError:
        return


def _says_one_line(reason: str) -> None:
    assert reason.isprintable(), "the reason could forge a line of the log"


def _stays_below(path: str) -> None:
    parts = urlsplit(f"{LOCATION}/{path}")
    assert (parts.scheme, parts.netloc) == ("https", "cloud.example.com")
    assert re.fullmatch(r"/api(/[A-Za-z0-9._-]+)+", parts.path)
    assert not {".", ".."} & set(parts.path.split("/"))
    assert parts.query == parts.fragment == ""


def reads_tokens(data: bytes) -> None:
    """A token opens what it was made for, or nothing."""
    token = data.decode("utf-8", "surrogateescape")
    for purpose in (TASK, REQUEST):
        try:
            link = LINKS.read(purpose, token)
        except LinkInvalid:
            continue
        assert link in MINTED.values(), "a link that nobody made"
        assert MINTED.get((purpose, token), link) == link


def checks_signatures(data: bytes) -> None:
    """Nobody without the key has a body taken; one line for each header, then the body."""
    *words, body = data.split(b"\n", 3) if data.count(b"\n") >= 3 else (b"", b"", b"", data)
    headers = Headers()
    for name, word in zip(signatures.HEADERS, words, strict=True):
        headers[name] = word.decode("latin-1").replace("\r", "")
    try:
        signatures.check(headers, body, [KEY], NOW)
    except SignatureWrong as error:
        _says_one_line(str(error))
    else:
        raise AssertionError("signed by nobody")


LINKS_OF_A_TASK = [
    {"rel": "continue", "href": "https://x/api/cloud/virtualdatacenters/3/virtualappliances/9/"
     "virtualmachines/59/tasks/1-a/action/continue"},
    {"rel": "cancel", "href": "/api/cloud/virtualdatacenters/3/virtualappliances/9/"
     "virtualmachines/59/tasks/1-a/action/cancel"},
    {"rel": "user", "href": "https://x/api/admin/enterprises/1/users/2"},
    {"rel": "target", "href": "https://x/api/cloud/virtualdatacenters/3/virtualappliances/9/"
     "virtualmachines/59"},
]  # fmt: skip
TASK_OF_JSON = {"taskId": "1-a", "type": "DEPLOY", "ownerId": "59", "userId": "2",
                "state": "QUEUEING", "timestamp": 1_700_000_000, "links": LINKS_OF_A_TASK,
                "jobs": {"collection": []}}  # fmt: skip

TARGETS = {
    "callbacks": reads_callbacks,
    "hrefs": checks_hrefs,
    "tokens": reads_tokens,
    "signatures": checks_signatures,
}
SEEDS = {
    "callbacks": [
        ARTICLE.read_bytes(),
        json.dumps(TASK_OF_JSON).encode(),
        json.dumps({"collection": [TASK_OF_JSON]}).encode(),
        ARTICLE.read_text("utf-8").encode("utf-16"),
        b"<!DOCTYPE tasks [<!ENTITY a 'b'>]><tasks>&a;</tasks>",
        b"[" * 5000,
        b"<tasks>\0</tasks>",
        "<ta\u200bsks></tasks>".encode(),
    ],
    "hrefs": [
        *(link["href"].encode() for link in LINKS_OF_A_TASK),
        b"https://cloud.example.com.evil.com/api/admin/roles/1",
        b"//evil/api/admin/roles/1",
        b"admin/../admin/roles/1",
        b"http://user@cloud/api/admin/roles/%2e%2e?a#b",
    ],
    "tokens": [
        *(token.encode() for _, token in MINTED),
        b"WzcsM\xff\xff\xff\xff.Ff7At8HEIL40XwNw20br2",
    ],
    "signatures": [
        b"msg_1\n%d\nv1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\n{}" % NOW.timestamp(),
        b"\n\n\n",
    ],
}

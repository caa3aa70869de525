"""Whoever holds no link of ours sees one page, whatever they tried, and waits if it was much."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from approval.links import REQUEST, TASK, Links
from tests.conftest import served_site

ODD = {
    "empty": "",
    "quote": "' OR '1'='1",
    "semicolon": "x; DROP TABLE tasks; --",
    "percent": "%",
    "NUL": "a\x00b",
    "line": "a\r\nSet-Cookie: a=b",
    "unicode": "größe-Ω-東京",
    "bidi": "\u202etxt",
    "dots": "../../etc/passwd",
    "braces": "{{ 7 * 7 }}",
    "long": "x" * 5000,
    "number": "9" * 400,
    "negative": "-1",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory, store_kind):
    with served_site(tmp_path_factory.mktemp("site"), "[links]\nwrong_per_minute = 0") as site:
        yield site


@pytest.fixture(scope="module")
def two(site):
    """Two requests of two tasks each, with Mona's mails about them."""
    ours, theirs = site.deploy(2), site.deploy(2)
    mails = site.mail(ours[0]), site.mail(theirs[0])
    site.settle()
    return ours, theirs, *mails


def token(link):
    return parse_qs(urlsplit(link).query)["token"][0]


def tries(site, two):
    """What strangers send, by name: route and query."""
    ours, theirs, mail, other_mail = two
    own = token(mail.link("accept", task=ours[0]))
    whole = token(mail.link("review"))
    theirs_whole = token(other_mail.link("review"))
    request = parse_qs(urlsplit(mail.link("review")).query)["request"][0]
    links = Links(["another key, of a gate elsewhere"], site.gate.url, timedelta(days=7))
    real = Links([key(site)], site.gate.url, timedelta(days=7))
    stranger = real.read(TASK, token(other_mail.link("accept", task=theirs[0]))).approver_id
    read = real.read(TASK, own)
    forged = links.token(TASK, read.approver_id, read.subject, read.deadline)
    foreign = real.token(TASK, stranger, read.subject, read.deadline)
    nobody = real.token(TASK, 10**9, read.subject, read.deadline)
    foreign_whole = real.token(REQUEST, stranger, request, read.deadline)
    one, both = ours[0], ",".join(ours)
    return {
        "nothing": ("accept", {}),
        "no token": ("accept", {"task": one}),
        "no task": ("accept", {"token": own}),
        "unknown task": ("accept", {"task": "d8113ffd-0000", "token": own}),
        "token of the other task": ("accept", {"task": ours[1], "token": own}),
        "token of another request's task": ("accept", {"task": theirs[0], "token": own}),
        "forged": ("accept", {"task": one, "token": forged}),
        "approver of another request": ("accept", {"task": one, "token": foreign}),
        "approver who is not there": ("accept", {"task": one, "token": nobody}),
        "token of all for one": ("accept", {"task": one, "token": whole}),
        "token of one for all": ("multiple", {"action": "accept", "tasks": both, "token": own}),
        "token of another batch": (
            "multiple", {"action": "accept", "tasks": both, "token": theirs_whole}
        ),
        "one too many": (
            "multiple", {"action": "accept", "tasks": f"{both},{theirs[0]}", "token": whole}
        ),
        "review of another": ("review", {"request": request, "token": theirs_whole}),
        "review by an outsider": ("review", {"request": request, "token": foreign_whole}),
        "review with one task's": ("review", {"request": request, "token": own}),
        "review of nothing": ("review", {"token": whole}),
        "nothing at all": ("no/such/page", {}),
        **{f"task {name}": ("accept", {"task": odd, "token": own}) for name, odd in ODD.items()},
        **{f"token {name}": ("decline", {"task": one, "token": odd}) for name, odd in ODD.items()},
        **{f"cut at {n}": ("accept", {"task": one, "token": own[:n]}) for n in range(0, 60, 6)},
        **{
            f"tasks {name}": ("multiple", {"action": "accept", "tasks": odd, "token": whole})
            for name, odd in ODD.items()
        },
        **{
            f"request {name}": ("review", {"request": odd, "token": whole})
            for name, odd in ODD.items()
        },
    }  # fmt: skip


def key(site):
    return site.gate.key


def test_every_stranger_is_answered_byte_for_byte_the_same(site, two):
    before = site.gate.tables()
    pages = {}
    for name, (route, query) in tries(site, two).items():
        for method in ("GET", "POST"):
            if route == "review" and method == "POST":
                continue
            values = {"params" if method == "GET" else "data": query}
            answer = site.gate.session.request(
                method, f"{site.gate.url}/{route}", timeout=10, **values
            )
            headers = {k: v for k, v in answer.headers.items() if k != "Date"}
            pages[f"{method} {name}"] = (answer.status_code, answer.content, str(headers))
    assert len(set(pages.values())) == 1, {
        name: page[0] for name, page in pages.items() if page != pages["GET nothing"]
    }
    status, content, _ = pages["GET nothing"]
    assert status == 404
    assert b"The requested task does not exist" in content
    site.settle()
    assert site.gate.tables() == before


@pytest.mark.parametrize("raw", ["%00", "%FF%FE", "%ED%A0%80", "%", "+", "&", "a&task=b", "=="])
def test_bytes_that_are_no_text_are_strangers_too(site, raw):
    for query in (f"task={raw}", f"task=a&token={raw}", f"{raw}"):
        answer = site.gate.get(f"/accept?{query}")
        assert answer.status_code == 404
        assert "The requested task does not exist" in answer.text


def test_a_fresh_link_is_for_holders_only(site, two):
    _, _, mail, _ = two
    own = token(mail.link("review"))
    for odd in ("", "x", own[:-4], "é\x00"):
        assert site.gate.post("/fresh", {"token": odd}).status_code == 404
    assert site.gate.post("/fresh").status_code == 404


# Whoever tries too much.


def ask(site, query, address="203.0.113.7", method="GET"):
    values = {"params" if method == "GET" else "data": query}
    return site.gate.session.request(
        method,
        f"{site.gate.url}/accept",
        headers={"X-Forwarded-For": address},
        timeout=10,
        **values,
    )


@pytest.fixture(params=["", "signed = no"], ids=["signed", "unsigned"])
def wary(request, tmp_path):
    """A site that lets an address try three wrong links a minute, and a task of it."""
    extra = f"trusted_proxies = 1\n[links]\nwrong_per_minute = 3\n{request.param}"
    with served_site(tmp_path, extra) as site:
        [task] = site.deploy()
        yield site, task, site.mail(task)


def exhaust(site, address="203.0.113.7"):
    for number in range(3):
        assert ask(site, {"task": str(number)}, address).status_code == 404


def test_who_tries_link_after_link_has_to_wait(wary):
    site, _, _ = wary
    exhaust(site)
    for method in ("GET", "POST"):
        answer = ask(site, {"task": "4"}, method=method)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 60
        assert "Too many wrong links" in answer.text
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_who_has_to_wait_learns_nothing_of_a_task_by_its_id_alone(wary):
    site, task, _ = wary
    exhaust(site)
    assert ask(site, {"task": task}).status_code == 429
    assert ask(site, {"task": task}, method="POST").status_code == 429
    assert site.gate.events().count("accepted") == 0


def test_a_link_that_we_signed_works_from_the_same_address_all_the_while(wary):
    site, _, mail = wary
    exhaust(site)
    assert ask(site, {"task": "4"}).status_code == 429
    headers = {"X-Forwarded-For": "203.0.113.7"}
    assert site.gate.get(mail.link("accept"), headers=headers).status_code == 200
    assert site.gate.get(mail.link("review"), headers=headers).status_code == 200
    assert site.gate.press(mail.link("accept"), headers=headers).status_code == 200


def test_a_link_that_we_signed_for_another_task_is_counted_too(wary):
    site, _, mail = wary
    own = token(mail.link("accept"))
    statuses = [ask(site, {"task": f"no-{n}", "token": own}).status_code for n in range(5)]
    assert statuses == [404, 404, 404, 429, 429]


@pytest.mark.parametrize(
    ("tried", "asks", "status"),
    [
        ("203.0.113.7", "203.0.113.8", 404),
        ("203.0.113.7", "::ffff:203.0.113.7", 429),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", 429),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", 404),
        ("nonsense", "203.0.113.7", 404),
        ("nonsense", "other nonsense", 429),
    ],
)
def test_it_counts_by_address_and_of_ipv6_by_network(tmp_path, tried, asks, status):
    with served_site(tmp_path, "trusted_proxies = 1\n[links]\nwrong_per_minute = 3") as site:
        exhaust(site, tried)
        assert ask(site, {"task": "4"}, tried).status_code == 429
        assert ask(site, {"task": "4"}, asks).status_code == status

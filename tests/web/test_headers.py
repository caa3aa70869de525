"""What every answer carries, so that links do not leak and pages are not framed or scripted."""

import base64
import hashlib
import re

import pytest

from tests.conftest import served_site

SECRET = "a-secret-of-22-characters"


@pytest.fixture(scope="module")
def answers(tmp_path_factory, store_kind):
    """One answer of every kind, by its name."""
    folder = tmp_path_factory.mktemp("site")
    broken = folder / "templates/page/review.html"
    broken.parent.mkdir(parents=True)
    broken.write_text("{{ there.is.no.such.thing }}")
    extra = f"callback_secret = {SECRET}\ntemplates = templates"
    with served_site(folder, extra) as site:
        gate = site.gate
        site.cloud.callback_url = f"{gate.url}/callback/{SECRET}"
        tasks = site.deploy(2)
        mail = site.mail(tasks[0])
        first, second = (mail.link("accept", task=task) for task in tasks)
        yield {
            "200 home": gate.get("/"),
            "200 alive": gate.get("/healthz"),
            "200 ready": gate.get("/readyz"),
            "200 figures": gate.get("/metrics"),
            "200 question": gate.get(first),
            "200 head": gate.session.head(first, timeout=10),
            "200 options": gate.session.options(first, timeout=10),
            "200 result": gate.press(first),
            "200 repeat": gate.post(f"/callback/{SECRET}", site.cloud.callback_body(tasks[1:])),
            "400 action": gate.get("/multiple?action=explode"),
            "400 callback": gate.post(f"/callback/{SECRET}", b"what?"),
            "401 callback": gate.post("/callback", b""),
            "403 other site": gate.post(second, headers={"Sec-Fetch-Site": "cross-site"}),
            "404 task": gate.get("/accept?task=unknown"),
            "404 page": gate.get("/no/such/page"),
            "405 page": gate.post("/review"),
            "405 callback": gate.get("/callback"),
            "410 decided": gate.get(first),
            "413 form": gate.post(second, {"comment": "x" * 100_000}),
            "413 body": gate.post("/accept", b"x" * (2**20 + 2)),
            "413 callback": gate.post(f"/callback/{SECRET}", b" " * (2**20 + 1)),
            "500 broken": gate.get(mail.link("review")),
        }


KINDS = (
    "200 home", "200 alive", "200 ready", "200 figures", "200 question", "200 head",
    "200 options", "200 result", "200 repeat", "400 action", "400 callback", "401 callback",
    "403 other site", "404 task", "404 page", "405 page", "405 callback", "410 decided",
    "413 form", "413 body", "413 callback", "500 broken",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_is_protected(answers, kind):
    answer = answers[kind]
    assert answer.status_code == int(kind[:3])
    headers = answer.headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Robots-Tag"] == "noindex, nofollow"
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = dict(
        rule.strip().split(" ", 1) for rule in headers["Content-Security-Policy"].split(";")
    )
    style = policy.pop("style-src")
    assert policy == {
        "default-src": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert style.startswith("'sha256-")
    assert "Server" not in headers
    assert "Set-Cookie" not in headers


@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_is_a_page_for_people_or_json_for_programs(answers, kind):
    answer = answers[kind]
    media_type = answer.headers["Content-Type"]
    if "callback" in kind or kind in ("200 alive", "200 ready", "200 repeat"):
        assert media_type == "application/json"
        assert answer.json()
    elif kind == "200 figures":
        assert media_type.startswith("text/plain; version=")
    else:
        assert media_type == "text/html; charset=utf-8"


@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_names_another_host(answers, kind):
    for url in re.findall(r"""(?:href|src|action|url)\W{1,2}(\w+:[^"'\s)]+)""", answers[kind].text):
        pytest.fail(f"{kind} leads to {url}")


@pytest.mark.parametrize(
    "kind", ["200 home", "200 question", "200 result", "404 task", "410 decided", "500 broken"]
)
def test_the_policy_allows_exactly_the_style_that_the_page_holds(answers, kind):
    [style] = re.findall("<style>(.*?)</style>", answers[kind].text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in answers[kind].headers["Content-Security-Policy"]


def test_figures_and_health_name_no_people(answers):
    for kind in ("200 figures", "200 ready", "200 alive"):
        assert "mona" not in answers[kind].text.lower()
        assert "acme" not in answers[kind].text.lower()

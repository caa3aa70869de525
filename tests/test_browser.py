"""The pages in a real browser: without scripts, by keyboard, on a phone, in the dark."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from approval.links import TASK, Links
from tests.conftest import MAX
from tests.lacking import lacking

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = {
    "playwright": "the package playwright is missing: pip install '.[test]'",
    "browser": f"no browser is installed as {', '.join(NAMES)}: apt install chromium, or name one "
    "in the environment variable CHROMIUM",
}


def found_browser():
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="module")
def browser():
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        lacking(MISSING["playwright"])
    path = found_browser() or lacking(MISSING["browser"])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Opens a link in a fresh window; at the end no page may have complained."""
    contexts, complaints = [], []

    def open_page(url, *, viewport=DESK, **options):
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [
        text for text in complaints if "the server responded with a status of" not in text
    ] == []


def expired(site, link):
    """The same link as it was signed a while ago."""
    token = parse_qs(urlsplit(link).query)["token"][0]
    key = site.gate.key
    links = Links([key], site.gate.url, timedelta(days=7))
    read = links.read(TASK, token)
    return link.replace(token, links.token(TASK, read.approver_id, read.subject, datetime.now(UTC)))


@pytest.fixture(scope="module")
def pages(site):
    """A link to every kind of page, with names as long and odd as they come."""
    site.cloud.world.machine(59).label = "a-very-long-name-" * 12
    site.cloud.world.machine(60).label = "خادم‮الويب <b>Ω-東京</b>"
    tasks = site.cloud.deploy_appliance(9)
    mail = site.mail(tasks[0])
    [handled] = site.deploy()
    site.gate.press(site.mail(handled).link("decline"), comment="no " * 200)
    site.settle()
    accept = mail.link("accept", task=tasks[0])
    return {
        "question": accept,
        "several": next(link for link in mail.links if "/multiple?" in link),
        "review": mail.link("review"),
        "decided": site.mail(handled, MAX).link("accept"),
        "expired": expired(site, accept),
        "unknown": f"{site.gate.url}/accept?task=unknown",
        "home": site.gate.url,
    }


KINDS = ("question", "several", "review", "decided", "expired", "unknown", "home")
SCRIPTLESS = {"java_script_enabled": False}


def press_by_keyboard(page, words):
    """Walk to a button with the tab key, and press it."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.locator(":focus").text_content().strip() == words:
            page.keyboard.press("Enter")
            return
    pytest.fail(f"the tab key does not lead to {words}")


def test_a_task_is_accepted_by_keyboard_without_scripts(site, open_page):
    [task] = site.deploy()
    page = open_page(site.mail(task).link("accept"), **SCRIPTLESS)
    assert "Ana User wants to deploy fresh-00" in page.locator("h1").inner_text()
    page.keyboard.press("Tab")
    page.keyboard.type("größer geht's nicht")
    with page.expect_navigation() as navigation:
        press_by_keyboard(page, "Accept")
    assert navigation.value.status == 200
    assert "Accepted: deploy fresh-00" in page.locator("h1").inner_text()
    assert "größer geht's nicht" in page.locator("main").inner_text()
    site.settle()
    assert site.posts(task) == ["continue"]
    assert "größer geht's nicht" in site.cloud.events[-1].text


def test_what_the_browser_sends_tells_nobody_where_it_comes_from(site, open_page):
    [task] = site.deploy()
    page = open_page(site.mail(task).link("decline"), **SCRIPTLESS)
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.get_by_role("button", name="Decline").click()
    headers = sent.value.all_headers()
    assert headers["origin"] == "null"
    assert "referer" not in headers
    page.wait_for_load_state()
    assert "Declined" in page.locator("h1").inner_text()


def test_a_batch_is_decided_on_the_review_page_of_a_phone(site, open_page):
    tasks = site.deploy(3)
    page = open_page(site.mail(tasks[0]).link("review"), viewport=PHONE, **SCRIPTLESS)
    page.get_by_role("button", name="Decline fresh-01").click()
    assert "Declined" in page.locator("h1").inner_text()
    page.get_by_role("link", name="See the current state").click()
    page.get_by_role("button", name="Accept all 2").click()
    assert "Your decision is recorded for 2 machines" in page.locator("main").inner_text()
    site.settle()
    assert [site.posts(task) for task in tasks] == [["continue"], ["cancel"], ["continue"]]


def test_an_expired_link_is_renewed_by_its_button(site, open_page):
    [task] = site.deploy()
    page = open_page(expired(site, site.mail(task).link("accept")), **SCRIPTLESS)
    page.get_by_role("button", name="Mail me a fresh link").click()
    assert "A fresh link is on its way" in page.locator("h1").inner_text()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_wider_than_a_phone(pages, open_page, kind):
    page = open_page(pages[kind], viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


@pytest.mark.parametrize("width", [320, 390])
def test_the_mail_is_not_wider_than_a_phone(site, open_page, width):
    tasks = site.deploy(3)
    page = open_page("about:blank", viewport={"width": width, "height": 800})
    page.set_content(site.mail(tasks[0]).html)
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("kind", ["question", "decided", "unknown"])
def test_in_the_dark_light_text_stands_on_a_dark_page(pages, open_page, kind):
    shades = {}
    for scheme in ("light", "dark"):
        page = open_page(pages[kind], color_scheme=scheme)
        shades[scheme] = [
            brightness(page, element, value)
            for element, value in (("body", "background-color"), ("h1", "color"))
        ]
    assert shades["light"][0] > 200 > 100 > shades["light"][1]
    assert shades["dark"][0] < 60 < 150 < shades["dark"][1]


def brightness(page, element, value):
    style = "(found, value) => getComputedStyle(found).getPropertyValue(value)"
    colour = page.locator(element).first.evaluate(style, value)
    red, green, blue = (int(part) for part in colour.removeprefix("rgb(").rstrip(")").split(","))
    return (red + green + blue) / 3


@pytest.mark.parametrize("kind", ["question", "several", "review"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_sees_where_the_keyboard_is(pages, open_page, kind, scheme):
    page = open_page(pages[kind], color_scheme=scheme)
    for _ in range(3):
        page.keyboard.press("Tab")
        style = page.locator(":focus").evaluate(
            "found => [getComputedStyle(found).outlineStyle, getComputedStyle(found).outlineWidth]"
        )
        assert style == ["solid", "3px"]


@pytest.mark.parametrize("kind", ["question", "several", "review"])
def test_buttons_are_big_enough_for_a_thumb(pages, open_page, kind):
    page = open_page(pages[kind], viewport=PHONE)
    boxes = [button.bounding_box() for button in page.get_by_role("button").all()]
    assert boxes
    assert all(box["height"] >= 48 and box["width"] >= 48 for box in boxes)


def test_pages_left_open_with_scripts_on_do_nothing_by_themselves(site, pages, open_page):
    site.settle()
    before, calls = site.gate.tables(), len(site.cloud.calls)
    opened = [open_page(pages[kind]) for kind in KINDS]
    opened[0].wait_for_timeout(3000)
    site.settle()
    assert site.gate.tables() == before
    assert len(site.cloud.calls) == calls
    assert [page.url.rstrip("/") for page in opened] == [pages[kind] for kind in KINDS]

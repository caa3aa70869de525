"""Forms of pages, filled in and sent as a browser without scripts does it."""

from urllib.parse import urljoin

import requests
from lxml import html

from tests.conftest import Gate


def buttons(page: requests.Response) -> list[str]:
    """What stands on the buttons of a page."""
    return [_words(button) for button in html.fromstring(page.text).iter("button")]


def links_of(page: requests.Response) -> dict[str, str]:
    """Where the links of a page lead, by their words."""
    return {_words(link): link.get("href") for link in html.fromstring(page.text).iter("a")}


def press(gate: Gate, page: requests.Response, words: str, **typed: str) -> requests.Response:
    """Press the first button that says this; `typed` goes into the form's fields."""
    found = [b for b in html.fromstring(page.text).iter("button") if _words(b) == words]
    assert found, f"there is no button {words!r} but {buttons(page)}"
    button = found[0]
    form = next(button.iterancestors("form"))
    fields = {name: value or "" for name, value in form.form_values()} | typed
    if button.get("name"):
        fields[button.get("name")] = button.get("value")
    assert form.get("method") == "post"
    return gate.post(urljoin(page.url, button.get("formaction") or form.get("action")), fields)


def words(page: requests.Response) -> str:
    """What a page says, in one line."""
    return _words(html.fromstring(page.text).find(".//main"))


def _words(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())

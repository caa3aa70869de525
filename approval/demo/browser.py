"""What a person's browser does: open a link, fill in the form of a page, press a button."""

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urljoin

from lxml import html

from approval.demo import loopback

TIMEOUT = 15  # seconds


@dataclass(frozen=True)
class Page:
    """What came back."""

    url: str
    status: int
    source: str

    @property
    def text(self) -> str:
        """What can be read on it, in one line."""
        return readable(self.source)


class Browser:
    """Use it in a `with` block."""

    def __init__(self) -> None:
        self._http = loopback.session()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def open(self, url: str) -> Page:
        return self._send("GET", url)

    def press(self, page: Page, button: str, **fields: str) -> Page:
        """Press the button with this caption, its form's fields filled in.

        Raises LookupError if the page has no such button or no such field.
        """
        form, found = _button(page, button)
        for name, value in fields.items():
            form.fields[name] = value
        values = [*form.form_values(), (found.get("name"), found.get("value", ""))]
        target = found.get("formaction") or form.get("action") or ""
        sent = [(name, value) for name, value in values if name]
        return self._send(form.method, urljoin(page.url, target), data=sent)

    def _send(self, method: str, url: str, **options: Any) -> Page:
        answer = self._http.request(method, url, timeout=TIMEOUT, **options)
        return Page(answer.url, answer.status_code, answer.text)


def links(source: str | None) -> list[str]:
    """Where the links of a document lead."""
    return [str(href) for href in _document(source).xpath("//a/@href")]


def readable(source: str | None) -> str:
    """The text of a document, in one line."""
    (body,) = _document(source).xpath("//body")
    return " ".join(body.text_content().split())


def _button(page: Page, caption: str) -> tuple[Any, Any]:
    """The button and its form."""
    for form in _document(page.source).forms:
        for button in form.xpath(".//button"):
            if button.text_content().strip() == caption:
                return form, button
    raise LookupError(f"no button {caption!r} on {page.url}")


def _document(source: str | None) -> Any:
    return html.document_fromstring(source or "<body></body>")

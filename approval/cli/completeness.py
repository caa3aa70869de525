"""What a page or a mail must hold, else nobody can decide there, however well it renders."""

from collections.abc import Iterator, Mapping
from typing import Any

from lxml import html

from approval.samples import TOKEN

MAILS = ("mail/request", "mail/reminder", "mail/note")


def lacks(name: str, context: Mapping[str, Any], text: str) -> Iterator[str]:
    """What is missing in a sample that was rendered, in words that go on after its name."""
    base, _, part = name.rpartition("/")
    if name == "page/confirm.html":
        yield from _of_forms(_tree(text), code=context["code"])
    elif name == "page/review.html" and context["pending"]:
        page = _tree(text)
        if not _links(page) and any(_of_forms(page, code=context["code"])):
            yield "holds neither links nor a form to decide what is pending"
    elif name == "page/expired.html" and context["token"]:
        page = _tree(text)
        if not any(_holds_token(form) and _buttons(form) for form in _forms(page)):
            yield "holds no form with the field token and a button to ask for a fresh link"
    elif base in MAILS and part != "subject.txt":
        yield from _of_mail(context, text, is_html=part.endswith(".html"))


def _of_mail(context: Mapping[str, Any], text: str, *, is_html: bool) -> Iterator[str]:
    if context.get("pending") == 0:  # it asks nothing any more
        return
    mail = _tree(text) if is_html else None
    if not (TOKEN in text if mail is None else _links(mail)):
        yield "holds no link to decide by"
    words = text if mail is None else mail.text_content()
    if context["code"] and context["code"].replace(" ", "") not in "".join(words.split()):
        yield "does not hold the code, without which nobody can decide"


def _tree(text: str) -> html.HtmlElement:
    return html.document_fromstring(f"<body>{text}")  # a text of its own may be empty


def _links(tree: html.HtmlElement) -> list[str]:
    return [href for href in tree.xpath("//a/@href") if TOKEN in href]


def _forms(page: html.HtmlElement) -> list[html.HtmlElement]:
    return [form for form in page.xpath("//form") if form.get("method", "").lower() == "post"]


def _of_forms(page: html.HtmlElement, *, code: bool) -> Iterator[str]:
    """What the most complete of the forms lacks to decide."""
    found = [list(_of_form(form, code=code)) for form in _forms(page)]
    yield from min(found, key=len) if found else ["holds no form to decide by, with method post"]


def _of_form(form: html.HtmlElement, *, code: bool) -> Iterator[str]:
    fields = set(form.xpath(".//*[self::input or self::select or self::textarea]/@name"))
    if not _holds_token(form):
        yield "has a form without the field token"
    if not fields & {"task", "tasks"}:
        yield "has a form without the field task or tasks"
    if code and "code" not in fields:
        yield "has a form without the field code"
    for action in sorted({"accept", "decline"} - _buttons(form)):
        yield f"has a form without a button to {action}"


def _holds_token(form: html.HtmlElement) -> bool:
    return bool(form.xpath(".//input[@name='token' and @value=$token]", token=TOKEN))


def _buttons(form: html.HtmlElement) -> set[str]:
    """What the buttons of a form do: by their own words, by where they send it, or as it says."""
    submitting = ".//button[not(@type) or @type='submit'] | .//input[@type='submit']"
    return {
        button.get("value", "")
        if button.get("name") == "action"
        else button.get("formaction") or form.get("action", "")
        for button in form.xpath(submitting)
    }

"""Made-up requests that show what mails and pages have to cope with.

`approval check` renders every template with them, to find mistakes in an operator's own.
"""

from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from approval.samples import mails, pages
from approval.samples.mails import Links
from approval.samples.requests import (
    deploy,
    every_state,
    incomplete,
    reconfigure,
    request,
)
from approval.samples.things import ANA, ASKED, BOB, DEADLINE, LAPSE, TOKEN, WEB, decided, task

__all__ = [
    "ANA",
    "ASKED",
    "BOB",
    "DEADLINE",
    "LAPSE",
    "TOKEN",
    "WEB",
    "Links",
    "contexts",
    "decided",
    "deploy",
    "every_state",
    "incomplete",
    "reconfigure",
    "renderings",
    "request",
    "task",
]


def renderings() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every template that becomes a page or a part of a mail, with each context worth a try."""
    yield "page/style.css.html", {}
    for name, cases in pages.cases().items():
        for context in cases:
            yield f"page/{name}.html", {"style": Markup()} | context
    for name, cases in mails.cases().items():
        for context in cases:
            for part in ("subject.txt", "body.txt", "body.html"):
                yield f"mail/{name}/{part}", context


def contexts() -> dict[str, dict[str, Any]]:
    """One context for each template that becomes a page or a part of a mail."""
    known: dict[str, dict[str, Any]] = {}
    for name, context in renderings():
        known.setdefault(name, context)
    return known

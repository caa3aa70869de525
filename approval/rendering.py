"""Templates: files that become mails and pages.

The operator's folder comes first, file by file, then the ones that came with the gate.
Everything a template uses must exist (`StrictUndefined`), and HTML is always escaped.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import humanize
import jinja2
from jinja2 import meta
from markupsafe import Markup

from approval import wording
from approval.failures import Failure

# Installed, the templates lie in the package; in a checkout, beside it.
HERE = Path(__file__).parent
BUILT_IN = next(
    folder for folder in (HERE / "templates", HERE.parent / "templates") if folder.is_dir()
)


DAY = timedelta(days=1)


class TemplateError(Failure):
    """Raised if a template does not work; names the file and the line."""


def moment(when: datetime) -> str:
    """An exact time for people: "21 Nov 2026, 10:02 UTC"."""
    return f"{when.day} {when:%b %Y, %H:%M} UTC"


def time(when: datetime) -> Markup:
    """The exact time as an element that machines can read too."""
    return Markup('<time datetime="{}">{}</time>').format(
        when.isoformat(timespec="seconds"), moment(when)
    )


def ago(when: datetime, now: datetime) -> str:
    """How long ago, or how long until, for people: "3 minutes ago", "7 days from now"."""
    since = now - when
    if since < -DAY:  # humanize cuts: seven days less a second would be six
        since = timedelta(days=round(since / DAY))
    return humanize.naturaltime(since)


def span(length: timedelta) -> str:
    """A length of time for people: "7 days"."""
    return humanize.precisedelta(length, minimum_unit="minutes", format="%0.0f")


# Controls, formats (bidi overrides, zero width), surrogates, line and paragraph separators.
DISGUISES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def visible(text: str) -> str:
    """The text in one line, signs that could disguise it (bidi overrides, NUL) written out."""
    if text.isprintable():  # as nearly all is, and then there are none
        return text
    return "".join(
        f"‹U+{ord(sign):04X}›" if unicodedata.category(sign) in DISGUISES else sign
        for sign in re.sub(r"[\t\r\n]+", " ", text)
    )


def bdi(text: str) -> Markup:
    """Text from outside as an element of its own, so that its direction stays inside."""
    return Markup("<bdi>{}</bdi>").format(visible(text))


class Folders(jinja2.FileSystemLoader):
    """Reads templates; names the file that cannot be read."""

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        try:
            return super().get_source(environment, template)
        except (UnicodeDecodeError, PermissionError) as error:
            files = [Path(folder, template) for folder in self.searchpath]
            file = next(file for file in files if file.is_file())
            raise TemplateError(f"{file}: {_unreadable(error)}", alert=True) from error


def _unreadable(error: UnicodeDecodeError | PermissionError) -> str:
    if isinstance(error, PermissionError):
        return "cannot be read; let the gate's account read it"
    line = error.object.count(b"\n", 0, error.start) + 1
    return f"line {line} is not UTF-8; save it as UTF-8"


class Templates:
    """Renders templates by name; `shared` is known in all of them."""

    def __init__(self, overrides: Path | None, shared: Mapping[str, Any]) -> None:
        self._overrides = overrides
        folders = [overrides, BUILT_IN] if overrides else [BUILT_IN]
        self._environment = jinja2.Environment(  # nosec B701
            loader=Folders(folders),
            autoescape=lambda name: not (name or "").endswith(".txt"),  # noqa: S701 - on for HTML
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
            auto_reload=False,
        )
        self._environment.filters.update(
            moment=moment, time=time, ago=ago, span=span, visible=visible, bdi=bdi
        )
        self._environment.globals.update(
            {name: getattr(wording, name) for name in wording.__all__}, **shared
        )

    def render(self, name: str, **context: Any) -> str:
        """Render a template. Raises TemplateError."""
        try:
            return self._environment.get_template(name).render(context)
        except TemplateError:
            raise
        except Exception as error:  # a template may run into any error at all
            raise TemplateError(self._explain(name, error), alert=True) from error

    def idle(self) -> list[str]:
        """Files of the operator that replace nothing and that no template of theirs includes."""
        own = Folders(self._overrides).list_templates() if self._overrides else []
        strange = {name for name in own if name not in self.built_in and not _is_hidden(name)}
        return sorted(strange.difference(*(self._included(name) for name in own if strange)))

    @property
    def built_in(self) -> list[str]:
        """What came with the gate, and can be replaced."""
        return Folders(BUILT_IN).list_templates()

    def _included(self, name: str) -> set[str]:
        """What a template names that it builds on."""
        loader = Folders(self._overrides or BUILT_IN)
        try:
            source, *_ = loader.get_source(self._environment, name)
            found = meta.find_referenced_templates(self._environment.parse(source))
            return {each for each in found if each}
        except (TemplateError, jinja2.TemplateError):  # told when it is rendered
            return set()

    def names(self) -> list[str]:
        """All templates there are, the operator's and the built-in ones."""
        return self._environment.list_templates(extensions=["html", "txt"])

    def compile(self, name: str) -> None:
        """Read a template without rendering it. Raises TemplateError."""
        try:
            self._environment.get_template(name)
        except jinja2.TemplateError as error:
            raise TemplateError(self._explain(name, error), alert=True) from error

    def _explain(self, name: str, error: Exception) -> str:
        """Say which file and line: the innermost template in the traceback."""
        if isinstance(error, jinja2.TemplateSyntaxError):
            return f"{error.filename or error.name}, line {error.lineno}: {error.message}"
        place, trace = name, error.__traceback__
        while trace is not None:
            file = trace.tb_frame.f_code.co_filename
            if "__jinja_template__" in trace.tb_frame.f_globals or file.endswith((".txt", ".html")):
                place = f"{file}, line {trace.tb_lineno}"
            trace = trace.tb_next
        return f"{place}: {error}"


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))

"""Documents of the platform, XML or JSON, in one neutral shape."""

import json
import re
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

from lxml import etree

INTEGER = re.compile(r"(-?[0-9]{1,18})(\.0+)?")
FLAGS = {"true": True, "false": False}

# What XML forbids and JSON lets through; databases and mails would choke on it.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class DocumentError(ValueError):
    """Raised if bytes are not a document that the platform could have written."""


class Link(NamedTuple):
    """A link of a document; `href` is empty where none was given."""

    rel: str
    href: str
    title: str | None


class Document(ABC):
    """An object of the platform: fields, links and items, in whatever order they came.

    Reading from it never fails: what is absent or of another kind is None or empty.
    """

    tag: str | None = None  # the element's name; JSON does not say

    @abstractmethod
    def text(self, name: str) -> str | None:
        """The field without space around it; None unless it is there once, and not empty."""

    @abstractmethod
    def child(self, name: str) -> "Document | None":
        """The object in this field."""

    @abstractmethod
    def items(self, *tags: str) -> "list[Document] | None":
        """The members of a collection, in XML called `tags`; None if this is no collection."""

    @property
    @abstractmethod
    def links(self) -> tuple[Link, ...]: ...

    def links_to(self, rel: str) -> list[Link]:
        return [link for link in self.links if link.rel == rel]

    def title(self, rel: str) -> str | None:
        """The display name of what the first titled link with this rel leads to."""
        return next((link.title for link in self.links_to(rel) if link.title), None)

    def number(self, name: str) -> int | None:
        """The field as a whole number; None if it is none."""
        match = INTEGER.fullmatch(self.text(name) or "")
        return int(match[1]) if match else None

    def flag(self, name: str) -> bool | None:
        """The field as true or false; None if it is neither."""
        return FLAGS.get(self.text(name) or "")


class XmlDocument(Document):
    def __init__(self, element: etree._Element) -> None:
        self._element = element
        self.tag = element.tag

    def _only(self, name: str) -> etree._Element | None:
        found = self._element.findall(name)
        return found[0] if len(found) == 1 else None

    def text(self, name: str) -> str | None:
        found = self._only(name)
        return None if found is None or len(found) else _clean(found.text)

    def child(self, name: str) -> Document | None:
        found = self._only(name)
        return None if found is None else XmlDocument(found)

    def items(self, *tags: str) -> list[Document] | None:
        if self.tag in tags:
            return None
        return [XmlDocument(element) for element in self._element.iterchildren(*tags)]

    @cached_property
    def links(self) -> tuple[Link, ...]:
        found = (element.get for element in self._element.iterchildren("link"))
        return tuple(Link(get("rel", ""), get("href", ""), _clean(get("title"))) for get in found)


class JsonDocument(Document):
    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def text(self, name: str) -> str | None:
        value = self._fields.get(name)
        if isinstance(value, bool):
            return str(value).lower()
        return _clean(str(value)) if isinstance(value, str | int | float) else None

    def child(self, name: str) -> Document | None:
        value = self._fields.get(name)
        return JsonDocument(value) if isinstance(value, dict) else None

    def items(self, *tags: str) -> list[Document] | None:
        if "collection" not in self._fields:
            return None
        members = self._list("collection")
        return [JsonDocument(one if isinstance(one, dict) else {}) for one in members]

    @cached_property
    def links(self) -> tuple[Link, ...]:
        found = (JsonDocument(link) for link in self._list("links") if isinstance(link, dict))
        return tuple(
            Link(link.text("rel") or "", link.text("href") or "", link.text("title"))
            for link in found
        )

    def _list(self, name: str) -> list[Any]:
        value = self._fields.get(name)
        return value if isinstance(value, list) else []


def parse(body: bytes) -> Document:
    """Read a document; what it is shows in its first character, whatever a header says."""
    encoding = json.detect_encoding(body)
    if encoding.startswith("utf-8"):
        body = body.removeprefix(b"\xef\xbb\xbf").strip()
    start = body[:64].decode(encoding, "ignore").lstrip("\ufeff \t\r\n")
    if not start:
        raise DocumentError("the body is empty")
    return XmlDocument(_xml(body)) if start[0] == "<" else JsonDocument(_json(body))


def _xml(body: bytes) -> etree._Element:
    """Parse XML that nobody has to trust; the only place that does.

    A parser of its own for each document: a shared one makes threads wait for each other.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        reason = _one_line(str(getattr(error, "msg", error)))
        raise DocumentError(f"not well-formed XML: {reason}") from error
    document = root.getroottree().docinfo
    if document.doctype or document.internalDTD is not None:  # type: ignore[union-attr]  # stubs
        raise DocumentError("XML with a document type, which the platform never writes")
    if etree.QName(root).localname.lower() == "html":
        raise DocumentError("a web page, as proxies write them")
    return root


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body, object_pairs_hook=_object, parse_constant=_no_number)
    except RecursionError as error:
        raise DocumentError("JSON that is nested too deeply") from error
    except DocumentError:
        raise
    except ValueError as error:
        raise DocumentError(f"neither XML nor JSON: {error}") from error
    if not isinstance(value, dict):
        raise DocumentError("JSON that is no object")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two fields of one name are two meanings: readers differ in which one they take."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise DocumentError("JSON with two fields of the same name")
    return fields


def _no_number(name: str) -> NoReturn:
    raise DocumentError(f"JSON with {name}, which is no number")


def _clean(text: str | None) -> str | None:
    return UNPRINTABLE.sub("", text).strip() or None if text else None


def _one_line(reason: str) -> str:
    """The parser's words, which may quote the document."""
    words = "".join(sign if sign.isprintable() else " " for sign in reason).split()
    return " ".join(words)[:200]

"""One neutral description of a document, written as JSON or as XML."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lxml import etree

from approval.demo.cloud.personality import Format

Value: TypeAlias = "str | int | bool | Document | Mapping[str, str] | None"
Fields: TypeAlias = Mapping[str, Value]

# The one field that is called differently in XML.
XML_NAMES = {"entity": "message"}


@dataclass(frozen=True)
class Link:
    """`path` lies below the API root; `kind` is the kind of document to be had there."""

    rel: str
    path: str
    kind: str | None = None
    title: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    def attributes(self, root: str, format: Format) -> dict[str, str]:
        attributes = {"rel": self.rel, "href": root + self.path}
        if self.kind:
            attributes["type"] = f"application/vnd.abiquo.{self.kind}+{format}"
        if self.title is not None:
            attributes["title"] = self.title
        return {**attributes, **self.extra}


@dataclass(frozen=True)
class Document:
    """`kind` as in application/vnd.abiquo.KIND+json, `tag` is the XML element.

    Fields that are None are left out. `items` make it a collection.
    """

    kind: str
    tag: str
    fields: Fields = field(default_factory=dict)
    links: Sequence[Link] = ()
    items: Sequence[Document] | None = None
    total: int | None = None


def write(document: Document, format: Format, root: str) -> bytes:
    """Write the document with hrefs that begin with `root`."""
    if format == "json":
        return json.dumps(_plain(document, root)).encode()
    return _xml_bytes(_element(document, root, document.tag))


def write_shuffled(document: Document, format: Format, root: str) -> bytes:
    """Write the document with fields, links and attributes in no order."""
    if format == "json":
        return json.dumps(_shuffled(_plain(document, root))).encode()
    element = _element(document, root, document.tag)
    for each in list(element.iter()):
        each[:] = random.sample(list(each), len(each))
        attributes = random.sample(sorted(each.attrib.items()), len(each.attrib))
        each.attrib.clear()
        each.attrib.update(attributes)
    return _xml_bytes(element)


def _plain(document: Document, root: str) -> dict[str, Any]:
    plain: dict[str, Any] = {"links": [link.attributes(root, "json") for link in document.links]}
    if document.total is not None:
        plain["totalSize"] = document.total
    if document.items is not None:
        plain["collection"] = [_plain(item, root) for item in document.items]
    for name, value in document.fields.items():
        if value is not None:
            plain[name] = _plain(value, root) if isinstance(value, Document) else value
    return plain


def _shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        keys = random.sample(list(value), len(value))
        return {key: _shuffled(value[key]) for key in keys}
    if isinstance(value, list):
        return [_shuffled(item) for item in random.sample(value, len(value))]
    return value


def _element(document: Document, root: str, tag: str) -> etree._Element:
    element = etree.Element(tag)
    for link in document.links:
        etree.SubElement(element, "link", link.attributes(root, "xml"))
    if document.total is not None:
        etree.SubElement(element, "totalSize").text = str(document.total)
    for name, value in document.fields.items():
        if value is not None:
            element.append(_field(XML_NAMES.get(name, name), value, root))
    for item in document.items or ():
        element.append(_element(item, root, item.tag))
    return element


def _field(name: str, value: Value, root: str) -> etree._Element:
    if isinstance(value, Document):
        return _element(value, root, name)
    element = etree.Element(name)
    if isinstance(value, Mapping):
        for key, text in value.items():
            entry = etree.SubElement(element, "entry")
            etree.SubElement(entry, "key").text = key
            etree.SubElement(entry, "value").text = text
    else:
        element.text = str(value).lower() if isinstance(value, bool) else str(value)
    return element


def _xml_bytes(element: etree._Element) -> bytes:
    return etree.tostring(element, xml_declaration=True, encoding="UTF-8", standalone=True)

import json

import pytest

from approval.platforms.abiquo.documents import DocumentError, parse

HOSTILE = {
    "nothing": b"",
    "space": b" \n\t ",
    "only a byte order mark": b"\xff\xfe",
    "a list": b"[]",
    "null": b"null",
    "a number": b"42",
    "a text": b'"task"',
    "true": b"true",
    "not a number": b'{"a": NaN}',
    "infinity": b'{"a": [-Infinity]}',
    "a field twice": b'{"a": 1, "a": 2}',
    "a field twice deep inside": b'{"a": [{"b": {"c": 1, "c": 1}}]}',
    "deep lists": b"[" * 200_000,
    "deep objects": b'{"a":' * 200_000,
    "deep and closed": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a huge number": b'{"a": ' + b"1" * 5000 + b"}",
    "broken UTF-8": b'{"a": "\xff"}',
    "single quotes": b"{'a': 1}",
    "two documents": b"{}{}",
    "a form": b"task=1&type=DEPLOY",
    "XML cut off": b"<task><taskId>1",
    "XML with crossed tags": b"<a><b></a></b>",
    "two roots": b"<a/><b/>",
    "HTML": b"<html><br></html>",
    "an undeclared prefix": b"<x:task/>",
    "an undeclared entity": b"<task>&nbsp;</task>",
    "deep elements": b"<a>" * 100_000 + b"</a>" * 100_000,
    "a false encoding": b'<?xml version="1.0" encoding="UTF-16"?><task/>',
    "an unknown encoding": b'<?xml version="1.0" encoding="KLINGON"?><task/>',
    "a bare doctype": b"<!DOCTYPE task><task/>",
    "a public doctype": b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://x/y"><html/>',
    "an internal entity": b'<!DOCTYPE a [<!ENTITY x "AAA">]><a>&x;</a>',
    "a file": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "an address": b'<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:9/">]><a>&x;</a>',
    "a parameter entity": b'<!DOCTYPE a [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><a/>',
    "a foreign doctype": b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    "a web page": b"<html><body/></html>",
    "a web page with its namespace": b'<HTML xmlns="http://www.w3.org/1999/xhtml"/>',
    "doctype in UTF-16": '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
    "doctype in UTF-16 without mark": "<!DOCTYPE a><a/>".encode("utf-16-le"),
    "laughs": b"<!DOCTYPE a ["
    + b"".join(b'<!ENTITY e%d "%s">' % (n + 1, b"&e%d;" % n * 10) for n in range(9))
    + b'<!ENTITY e0 "ha">]><a>&e9;</a>',
}


@pytest.mark.parametrize("document", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_the_platform_never_writes_is_refused(document):
    with pytest.raises(DocumentError) as refused:
        parse(document)
    assert "root:" not in str(refused.value)


ACCEPTED = {
    "JSON": b'{"a": "\xc3\xbc"}',
    "JSON with space": b'\n\n {"a": " \xc3\xbc "}\n',
    "JSON with mark": b'\xef\xbb\xbf{"a": "\xc3\xbc"}',
    "JSON in UTF-16": '{"a": "ü"}'.encode("utf-16"),
    "XML": "<r><a>ü</a></r>".encode(),
    "XML with space before": '\n <?xml version="1.0"?><r><a>ü</a></r>'.encode(),
    "XML with mark": "\ufeff<r><a>ü</a></r>".encode(),
    "XML in Latin-1": '<?xml version="1.0" encoding="ISO-8859-1"?><r><a>ü</a></r>'.encode(
        "latin-1"
    ),
    "XML in UTF-16": '<?xml version="1.0" encoding="UTF-16"?><r><a>ü</a></r>'.encode("utf-16"),
    "XML in UTF-16 without declaration": "<r><a>ü</a></r>".encode("utf-16"),
    "XML with a comment in the text": "<r><a>\n<!-- u -->ü<?p i?></a></r>".encode(),
    "XML with CDATA": "<r><a><![CDATA[ü]]></a></r>".encode(),
    "XML with an unknown namespace": '<r xmlns:x="y"><x:b/><a x:c="d">ü</a></r>'.encode(),
}


@pytest.mark.parametrize("document", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_body_is_read_as_what_it_is(document):
    assert parse(document).text("a") == "ü"


@pytest.mark.parametrize(
    ("written", "text", "number", "flag"),
    [
        ("x", "x", None, None),
        ("", None, None, None),
        ("  ", None, None, None),
        (42, "42", 42, None),
        ("-42", "-42", -42, None),
        ("٤٢", "٤٢", None, None),
        ("9" * 30, "9" * 30, None, None),
        (True, "true", None, True),
        ("false", "false", None, False),
        ("TRUE", "TRUE", None, None),
    ],
)
def test_fields_read_alike_from_both_languages(written, text, number, flag):
    spelled = str(written).lower() if isinstance(written, bool) else written
    json_document = parse(json.dumps({"a": written}).encode())
    xml_document = parse(f"<r><a>{spelled}</a></r>".encode())
    for document in (json_document, xml_document):
        assert (document.text("a"), document.number("a")) == (text, number)
        assert document.flag("a") is flag


@pytest.mark.parametrize("value", [None, [], {}, ["x"], {"a": "x"}])
def test_a_json_field_that_is_no_value_counts_as_absent(value):
    document = parse(json.dumps({"a": value}).encode())
    assert (document.text("a"), document.number("a"), document.flag("a")) == (None, None, None)


def test_an_xml_field_that_is_there_twice_counts_as_absent():
    document = parse(b"<r><a>1</a><a>2</a><b><c/></b></r>")
    assert (document.text("a"), document.child("a"), document.text("b")) == (None, None, None)


def test_large_and_broken_numbers_do_no_harm():
    assert parse(b'{"a": 1e999}').number("a") is None
    assert parse(b'{"a": 3.0}').number("a") == 3


def test_what_no_database_takes_is_left_out_of_texts():
    assert parse(rb'{"a": "x\u0000\ud800y\u001b"}').text("a") == "xy"


@pytest.mark.parametrize(
    "document",
    [
        b'{"links": [{"title": "T", "href": "h", "rel": "r"}, {"rel": "r", "href": null}]}',
        b'<x><link title="T" href="h" rel="r"/><a/><link rel="r"/></x>',
    ],
)
def test_links_read_alike_from_both_languages(document):
    assert parse(document).links == (("r", "h", "T"), ("r", "", None))
    assert parse(document).title("r") == "T"


@pytest.mark.parametrize("links", ["null", "3", "{}", '["x", null]'])
def test_links_that_are_no_links_are_none(links):
    assert parse(f'{{"links": {links}}}'.encode()).links == ()


def test_members_of_a_collection_are_never_dropped():
    members = parse(b'{"collection": [null, 3, {"a": 1}]}').items("task")
    assert [member.text("a") for member in members] == [None, None, "1"]


def test_a_single_object_is_no_collection():
    assert parse(b"{}").items("task") is None
    assert parse(b"<task/>").items("task") is None
    assert parse(b"<tasks/>").items("task") == []

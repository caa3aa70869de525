"""Messages: what stands in a name never becomes a header; every header is read back as meant."""

import re
import string
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from approval.addresses import is_address
from approval.mail.message import Sender, clean_header, clean_name, compose, message_id

SENDER = Sender("Approval gate", "gate@gate.example")
NOW = datetime(2026, 11, 21, 11, 2, tzinfo=timezone(timedelta(hours=1)))
HOSTILE = {
    "CVE-2024-6923": "=?utf-8?q?hi=0ABcc=3A_x=40y.example=2Ez?=",
    "encoded word in base64": "=?utf-8?b?aGkKQmNjOiB4QHkuZXhhbXBsZQ==?=",
    "encoded word in pieces": "=\x00?utf-8?q?a=0ABcc=3A_x=40y?=",
    "nested": "=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=0A=3F=3D?=",
    "CRLF": "hi\r\nBcc: x@y.example",
    "LF": "hi\nBcc: x@y.example\n\nbody",
    "CR": "hi\rBcc: x@y.example",
    "U+0085": "hi\x85Bcc: x@y.example",
    "U+2028": "hi\u2028Bcc: x@y.example",
    "U+2029": "hi\u2029Bcc: x@y.example",
    "U+202E": "web-\u202e10",
    "NUL": "a\x00b",
    "vertical tab": "a\x0bBcc: x\x0cb",
    "surrogate": "a\udcffb",
    "emoji": "deploy 🚀 to 東京",
    "right to left": "خادم الويب",
    "long": "x" * 1000,
    "long words": "größe " * 100,
    "quotes": '"Boss, the" <boss@evil.example>',
    "empty": "",
    "blank": " \t ",
    "end of a part": "a\n--=_text_and_html--\nb",
}
TEXTS = st.text(max_size=300) | st.lists(
    st.sampled_from(["=?", "?=", "utf-8?q?", "=0A", "\r\n", "Bcc: ", " ", "ü", "a", '"', ",", "<"]),
    max_size=30,
).map("".join)


def make_message(
    subject="s", name="Mona", text="text\n", html="<p>html</p>\n", sender=SENDER, **changes
):
    options = {"key": "k1.0", "thread": None, "now": NOW} | changes
    return compose(sender, (name, "mona@acme.example"), subject, text, html, **options)


def sent(message):
    """The bytes as they go to a mail server, and the message as its reader has it."""
    content = message.as_bytes(policy=policy.SMTP)
    return content, message_from_bytes(content, policy=policy.default)


USUAL = make_message().keys()


def assert_harmless(message):
    content, read = sent(message)
    assert read.keys() == USUAL
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert content.isascii()
    return read


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_subject_stays_a_subject(text):
    read = assert_harmless(make_message(subject=text))
    assert read["Subject"] == clean_header(text)
    assert not read.defects


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_stays_a_name(text):
    read = assert_harmless(make_message(name=text))
    [to] = read["To"].addresses
    assert to.addr_spec == "mona@acme.example"
    assert letters(to.display_name) == letters(clean_name(text))


def letters(text):
    """The text without spaces: Python 3.11 reads some into a long name that was folded."""
    return text.replace(" ", "")


@given(text=TEXTS)
@example(text=HOSTILE["CVE-2024-6923"])
@example(text="")
def test_every_subject_is_read_back_as_it_was_cleaned(text):
    assert assert_harmless(make_message(subject=text))["Subject"] == clean_header(text)


@given(text=TEXTS)
@example(text='Müller, "the Boss"')
@example(text="a <x@y.example>, b")
@example(text="0" * 63 + ";=?=?=?=?")
@example(text="0" * 38 + "=?" * 12 + '"')
def test_every_name_is_read_back_as_it_was_cleaned(text):
    [to] = assert_harmless(make_message(name=text))["To"].addresses
    assert to.addr_spec == "mona@acme.example"
    assert letters(to.display_name) == letters(clean_name(text))


@given(text=TEXTS)
def test_a_cleaned_header_is_one_short_visible_line(text):
    clean = clean_header(text)
    assert len(clean) <= 200
    assert clean == clean_header(clean)
    assert "=?" not in clean
    assert not {unicodedata.category(sign) for sign in clean} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_bodies_are_read_back_as_they_were_written(text):
    body = text.replace("\udcff", "?") + "\n"
    read = assert_harmless(make_message(text=body, html=f"<p>{body}</p>"))
    said = read.get_body(["plain"]).get_content()
    assert said.replace("\r", "").rstrip() == re.sub("\r\n?", "\n", body).replace("\r", "").rstrip()


def test_a_message_has_the_headers_of_an_automatic_one_and_no_others():
    _, read = sent(make_message(subject="Approval needed"))
    assert {name: str(value) for name, value in read.items() if name != "Content-Type"} == {
        "From": "Approval gate <gate@gate.example>",
        "To": "Mona <mona@acme.example>",
        "Subject": "Approval needed",
        "Date": "Sat, 21 Nov 2026 10:02:00 +0000",
        "Message-ID": "<k1.0@gate.example>",
        "List-Id": "<approval.gate.example>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "MIME-Version": "1.0",
    }


def test_answers_go_where_the_operator_wants_them():
    sender = replace(SENDER, reply_to="desk@acme.example")
    assert make_message(sender=sender)["Reply-To"] == "desk@acme.example"


def test_the_text_comes_first_and_both_parts_hold_utf_8():
    _, read = sent(make_message(text="größe\n", html="<p>größe</p>\n"))
    assert read.get_content_type() == "multipart/alternative"
    parts = [(part.get_content_type(), part.get_content()) for part in read.iter_parts()]
    assert parts == [("text/plain", "größe\r\n"), ("text/html", "<p>größe</p>\r\n")]


def test_a_message_of_a_thread_names_the_one_before():
    _, read = sent(make_message(thread="<first.0@gate.example>"))
    assert read["In-Reply-To"] == read["References"] == "<first.0@gate.example>"


@pytest.mark.parametrize("address", ["gate@gate.example", "a.b+c@sub.gate.example"])
def test_the_message_id_is_of_the_senders_domain_and_the_same_each_time(address):
    sender = Sender("Gate", address)
    assert message_id("abc.0", sender) == f"<abc.0@{address.partition('@')[2]}>"
    assert message_id("abc.0", sender) == message_id("abc.0", sender)
    assert message_id("abc.0", sender) != message_id("abc.1", sender)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("a@b", True),
        ("ana@acme.example", True),
        ("a.b+c_d-e@sub.acme.example", True),
        ("o'brien@acme.example", True),
        ("a" * 64 + "@acme.example", True),
        ("", False),
        ("ana", False),
        ("@acme.example", False),
        ("ana@", False),
        ("ana@@acme.example", False),
        ("ana@acme..example", False),
        ("ana@.acme.example", False),
        ("ana@-acme.example", False),
        ("a b@acme.example", False),
        (".ana@acme.example", False),
        ("ana.@acme.example", False),
        ("a..b@acme.example", False),
        ("ana@acme.example> NOTIFY=NEVER", False),
        ("<ana@acme.example>", False),
        ("ana@acme.example, eve@evil.example", False),
        ("ana@acme.example\r\nRCPT TO:<eve@evil.example>", False),
        ("ana@acme.example\n", False),
        ("ana\x00@acme.example", False),
        ('"ana b"@acme.example', False),
        ("ana@[127.0.0.1]", False),
        ("ana@acme-.example", False),
        ("größe@acme.example", False),
        ("ana@größe.example", False),
        ("a" * 65 + "@acme.example", False),
        ("ana@" + "a." * 130 + "example", False),
    ],
)
def test_only_plain_addresses_are_written_to(text, good):
    assert is_address(text) is good


ATOMS = st.text(string.ascii_letters + string.digits + "!#$%&'*+/=?^_`{|}~-", min_size=1)
LABELS = st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=63)
DOTTED = st.builds(
    "{}@{}".format,
    st.lists(ATOMS, min_size=1, max_size=4).map(".".join),
    st.lists(LABELS, min_size=1, max_size=4).map(".".join),
)


@given(address=DOTTED | st.text("ab.@-", min_size=3, max_size=9))
@example(address="a..b@acme.example")
@example(address=".a@acme.example")
def test_whatever_passes_for_an_address_can_be_written_to(address):
    if is_address(address):
        message = compose(SENDER, ("", address), "s", "t", "h", key="k", thread=None, now=NOW)
        [to] = sent(message)[1]["To"].addresses
        assert to.addr_spec == address


def test_times_are_written_in_utc():
    _, read = sent(make_message(now=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)))
    assert read["Date"] == "Fri, 02 Jan 2026 03:04:05 +0000"

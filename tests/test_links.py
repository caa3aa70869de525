"""Tokens: for whom, for what, until when, and by which key."""

import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval.links import REQUEST, TASK, LinkInvalid, Links

OLD, NEW = "the-old-key-of-22-characters", "the-new-key-of-22-characters"
NOW = datetime(2026, 11, 21, 10, 2, tzinfo=UTC)
ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


def make_links(*keys, url="https://gate.example", days=7):
    return Links(keys or [NEW], url, timedelta(days=days))


def test_a_token_says_who_what_and_until_when():
    links = make_links()
    read = links.read(TASK, links.token(TASK, 3, 42, NOW))
    assert (read.approver_id, read.subject, read.deadline) == (3, 42, NOW)


@given(approver=st.integers(1, 2**62), request=st.text("0123456789abcdef", min_size=32))
def test_a_token_survives_a_mail_for_every_approver_and_request(approver, request):
    links = make_links()
    token = links.token(REQUEST, approver, request, NOW)
    assert set(token) <= set(ALPHABET + ".")
    assert links.read(REQUEST, token).subject == request


@pytest.mark.parametrize(("made", "read"), [(TASK, REQUEST), (REQUEST, TASK)])
def test_a_token_serves_one_purpose(made, read):
    links = make_links()
    with pytest.raises(LinkInvalid):
        links.read(read, links.token(made, 1, 1, NOW))


@pytest.mark.parametrize(
    ("signs", "reads", "known"),
    [
        ([OLD], [OLD], True),
        ([OLD], [OLD, NEW], True),
        ([OLD, NEW], [NEW], True),
        ([OLD], [NEW], False),
        ([OLD, NEW], [OLD], False),
        ([NEW, OLD], [NEW], False),
    ],
    ids=["same", "while it is replaced", "the newest signs", "retired", "not yet", "order counts"],
)
def test_keys_run_from_the_oldest_to_the_newest_which_signs(signs, reads, known):
    token = make_links(*signs).token(TASK, 1, 1, NOW)
    if known:
        assert make_links(*reads).read(TASK, token)
    else:
        with pytest.raises(LinkInvalid):
            make_links(*reads).read(TASK, token)


@pytest.mark.parametrize(
    ("late", "expired"),
    [(-1.0, False), (-0.001, False), (0.0, True), (0.001, True), (86400.0, True)],
)
def test_a_link_ends_at_its_deadline(late, expired):
    links = make_links()
    link = links.read(TASK, links.token(TASK, 1, 1, NOW))
    assert link.expired(NOW + timedelta(seconds=late)) is expired


def test_an_expired_token_can_still_be_read():
    links = make_links()
    assert links.read(TASK, links.token(TASK, 1, 7, NOW - timedelta(days=900))).subject == 7


def test_a_token_is_bound_to_every_one_of_its_characters_but_the_spare_bits_of_the_last():
    links = make_links()
    token = links.token(TASK, 1, 1, NOW)
    for place, sign in enumerate(token[:-1]):
        other = "A" if sign != "A" else "B"
        with pytest.raises(LinkInvalid):
            links.read(TASK, token[:place] + other + token[place + 1 :])


def test_the_four_spellings_of_the_last_character_say_the_same():
    links = make_links()
    token = links.token(TASK, 3, 42, NOW)
    readings = []
    for sign in ALPHABET:
        try:
            readings.append(links.read(TASK, token[:-1] + sign))
        except LinkInvalid:
            continue
    assert readings == [links.read(TASK, token)] * 4


@given(token=st.text(max_size=300))
def test_whatever_else_is_tried_is_invalid_and_nothing_worse(token):
    for purpose in (TASK, REQUEST):
        with pytest.raises(LinkInvalid):
            make_links().read(purpose, token)


@given(data=st.data())
def test_a_mixture_of_two_tokens_is_invalid(data):
    links = make_links()
    one, other = links.token(TASK, 1, 1, NOW), links.token(TASK, 2, 1, NOW)
    cut = data.draw(st.integers(4, one.index(".")))
    with pytest.raises(LinkInvalid):
        links.read(TASK, other[:cut] + one[cut:])


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://gate.example", "https://gate.example/accept?task=a-1&token=x.y"),
        ("https://gate.example/", "https://gate.example/accept?task=a-1&token=x.y"),
        ("https://intra.example/gate/", "https://intra.example/gate/accept?task=a-1&token=x.y"),
    ],
)
def test_urls_begin_with_the_public_one(base, url):
    assert make_links(url=base).url("accept", task="a-1", token="x.y") == url


def test_what_stands_in_a_query_cannot_leave_it():
    url = make_links().url("accept", task='a&token=b#"<\r\n', tasks="a,b")
    assert url == "https://gate.example/accept?task=a%26token%3Db%23%22%3C%0D%0A&tasks=a,b"

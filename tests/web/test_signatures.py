"""Signatures of Standard Webhooks, as its own package writes them."""

import base64
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook
from werkzeug.datastructures import Headers

from approval.web.signatures import TOLERANCE, SignatureWrong, check, is_signed
from tests.fakes import NOW

OLD, NEW, STRANGE = b"o" * 24, b"n" * 32, b"s" * 64
BODY = b'{"collection": [ ]}'
SECOND = timedelta(seconds=1)
# The example of the specification.
EXAMPLE_KEY = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
EXAMPLE_BODY = b'{"test": 2432232314}'
EXAMPLE = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def signed(body=BODY, key=NEW, at=NOW, **changes):
    """The headers that the package writes, with changes."""
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(key).sign("msg_1", at, body.decode()),
    }
    return headers | {f"webhook-{name}": value for name, value in changes.items()}


def accepted(headers, body=BODY, keys=(OLD, NEW), now=NOW):
    try:
        check(Headers(headers), body, keys, now)
    except SignatureWrong:
        return False
    return True


def test_the_example_of_the_specification_is_accepted():
    now = datetime.fromtimestamp(1614265330, UTC)
    assert accepted(EXAMPLE, EXAMPLE_BODY, [EXAMPLE_KEY], now)
    assert not accepted(EXAMPLE, EXAMPLE_BODY + b" ", [EXAMPLE_KEY], now)


@given(body=st.text(max_size=200).map(lambda text: text.encode(errors="ignore")),
       key=st.binary(min_size=24, max_size=64))  # fmt: skip
def test_what_the_package_signs_is_accepted(body, key):
    assert accepted(signed(body, key), body, [key])


@pytest.mark.parametrize(("key", "good"), [(OLD, True), (NEW, True), (STRANGE, False)])
def test_while_a_key_is_replaced_both_count(key, good):
    assert accepted(signed(key=key)) is good


def test_one_good_signature_of_several_is_enough():
    good, bad = (signed(key=key)["webhook-signature"] for key in (NEW, STRANGE))
    asymmetric = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXw=="
    for several in (f"{bad} {good}", f"{good} {bad}", f"{asymmetric} {bad} {good}"):
        assert accepted(signed(signature=several))
    assert not accepted(signed(signature=f"{bad} {asymmetric} {bad}"))


@pytest.mark.parametrize(
    ("late", "good"),
    [(-TOLERANCE, True), (-TOLERANCE - SECOND, False), (TOLERANCE, True),
     (TOLERANCE + SECOND, False)],
)  # fmt: skip
def test_a_signature_counts_for_five_minutes_either_way(late, good):
    assert accepted(signed(), now=NOW + late) is good
    assert timedelta(minutes=5) == TOLERANCE


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [None, ""])
def test_half_a_signature_is_none_and_is_noticed(name, value):
    headers = {key: text for key, text in signed().items() if key != name}
    if value is not None:
        headers[name] = value
    assert is_signed(Headers(headers))
    assert not accepted(headers)
    assert not is_signed(Headers())


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "msg_2"},
        {"timestamp": str(int(NOW.timestamp()) + 1)},
        {"timestamp": f"{int(NOW.timestamp())}.0"},
        {"timestamp": f" {int(NOW.timestamp())}"},
        {"timestamp": "nan"},
        {"timestamp": "-1"},
        {"timestamp": "9" * 400},
        {"timestamp": "٣" * 10},
        {"signature": "v1"},
        {"signature": "v1,"},
        {"signature": ","},
        {"signature": "v1,é"},
        {"signature": "v1,!!!"},
        {"signature": signed()["webhook-signature"].removeprefix("v1,")},
        {"signature": signed()["webhook-signature"].replace("v1", "v2")},
        {"signature": signed()["webhook-signature"][:-4]},
        {"signature": signed()["webhook-signature"].swapcase()},
    ],
    ids=str,
)
def test_what_was_changed_is_refused(changes):
    assert accepted(signed())
    assert not accepted(signed(**changes))


@pytest.mark.parametrize(
    "body", [BODY[:-1], BODY + b"\n", BODY.replace(b" ", b""), b"", BODY.decode().encode("utf-16")]
)
def test_the_bytes_count_as_they_were_sent(body):
    assert not accepted(signed(), body)


def test_a_body_need_not_be_text():
    body = BODY.decode().encode("utf-16")
    content = b"msg_1.%d." % NOW.timestamp() + body
    signature = base64.b64encode(hmac.digest(NEW, content, "sha256")).decode()
    assert accepted(signed(signature=f"v1,{signature}"), body)

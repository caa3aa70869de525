"""Who may announce tasks: from where, with which signature."""

import base64
import http.client
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from standardwebhooks import Webhook

from tests.conftest import served_site

SECRET = "a-callback-secret-of-ours"
KEY = base64.b64encode(b"k" * 32).decode()
OLD_KEY = base64.b64encode(b"o" * 24).decode()


@pytest.fixture(scope="module")
def sites(tmp_path_factory, store_kind):
    """Sites with more keys of [server], each served once; they announce nothing by themselves."""
    opened = {}

    def site(extra):
        if extra not in opened:
            opened[extra] = served_site(tmp_path_factory.mktemp("site"), extra)
            opened[extra].site = opened[extra].__enter__()
            opened[extra].site.cloud.callback_url = None
        return opened[extra].site

    yield site
    for context in opened.values():
        context.__exit__(None, None, None)


def call(site, body=None, *, source="127.0.0.1", headers=None, path="/callback"):
    """Post a callback from an address of this machine; returns status, answer and headers."""
    body = site.cloud.callback_body(site.deploy()) if body is None else body
    connection = http.client.HTTPConnection(
        "127.0.0.1", urlsplit(site.gate.url).port, timeout=10, source_address=(source, 0)
    )
    connection.request("POST", path, body, headers or {})
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), dict(answer.headers)
    connection.close()
    return found


def refused(site, status, **options):
    """The reason that a call was refused for, and that it left nothing behind."""
    options.setdefault("body", site.cloud.callback_body(site.deploy()))
    site.settle()
    before = site.gate.tables()
    found, text, headers = call(site, **options)
    assert found == status
    assert headers["Content-Type"] == "application/json"
    assert site.gate.tables() == before
    return text


# From where.

LISTED = "callback_from = 127.0.0.2 127.1.0.0/16 2001:db8::/64"


@pytest.mark.parametrize("source", ["127.0.0.2", "127.1.2.3"])
def test_who_is_on_the_list_may_call(sites, source):
    assert call(sites(LISTED), source=source)[0] == 202


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.3", "127.2.0.1"])
@pytest.mark.parametrize("body", [None, b"<not even xml"], ids=["readable", "unreadable"])
def test_who_is_not_is_told_403_and_nothing_is_read_or_stored(sites, source, body):
    site = sites(LISTED)
    body = body or site.cloud.callback_body(site.deploy())
    assert f"{source} may not call" in refused(site, 403, source=source, body=body)


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Client-IP"])
def test_without_proxies_nobody_is_believed_about_an_address(sites, name):
    value = "for=127.0.0.2" if name == "Forwarded" else "127.0.0.2"
    assert "127.0.0.1 may not call" in refused(sites(LISTED), 403, headers={name: value})
    assert call(sites(LISTED), source="127.0.0.2", headers={name: "10.0.0.1"})[0] == 202


@pytest.mark.parametrize(
    ("proxies", "forwarded", "status"),
    [
        (1, "127.0.0.2", 202),
        (1, "2001:db8::7", 202),
        (1, "::ffff:127.0.0.2", 202),
        (1, "127.0.0.2, 10.0.0.1", 403),
        (1, "10.0.0.1, 127.0.0.2", 202),
        (1, "2001:db8:1::7", 403),
        (1, "unknown", 403),
        (1, "", 403),
        (1, "127.0.0.2\t, evil", 403),
        (2, "127.0.0.2, 10.0.0.1", 202),
        (2, "127.0.0.2, 10.0.0.9, 10.0.0.1", 403),
        (2, "127.0.0.2", 403),  # one proxy too few wrote something
    ],
)
def test_behind_proxies_the_address_that_the_outermost_of_them_saw_counts(
    sites, proxies, forwarded, status
):
    site = sites(f"{LISTED}\ntrusted_proxies = {proxies}")
    assert call(site, headers={"X-Forwarded-For": forwarded})[0] == status


def test_a_secret_does_not_help_from_the_wrong_place_nor_the_place_without_secret(sites):
    site = sites(f"{LISTED}\ncallback_secret = {SECRET}")
    path = f"/callback/{SECRET}"
    assert call(site, source="127.0.0.2", path=path)[0] == 202
    assert SECRET not in refused(site, 403, path=path)
    assert "secret" in refused(site, 401, source="127.0.0.2")


# With which signature.

SIGNED = f"webhook_secret = whsec_{OLD_KEY} whsec_{KEY}"
REQUIRED = f"{SIGNED}\nrequire_signature = yes"


def signed(body, key=KEY, *, late=timedelta(0)):
    at = datetime.now(UTC) - late
    return {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": Webhook(key).sign("msg_1", at, body.decode()),
    }


def announced(site):
    return site.cloud.callback_body(site.deploy())


@pytest.mark.parametrize("settings", [SIGNED, REQUIRED], ids=["checked", "required"])
class TestSigned:
    @pytest.mark.parametrize("key", [OLD_KEY, KEY, f"whsec_{KEY}"])
    def test_what_was_signed_with_a_key_of_ours_is_taken(self, sites, settings, key):
        body = announced(sites(settings))
        assert call(sites(settings), body, headers=signed(body, key))[0] == 202

    def test_what_was_signed_with_another_is_refused(self, sites, settings):
        site = sites(settings)
        body = announced(site)
        headers = signed(body, base64.b64encode(b"x" * 32).decode())
        text = refused(site, 401, body=body, headers=headers)
        assert "the callback's signature is wrong" in text

    def test_what_was_changed_on_the_way_is_refused(self, sites, settings):
        site = sites(settings)
        body = announced(site)
        refused(site, 401, body=body + b" ", headers=signed(body))

    @pytest.mark.parametrize("minutes", [6, -6])
    def test_what_was_signed_at_another_time_is_refused(self, sites, settings, minutes):
        site = sites(settings)
        body = announced(site)
        headers = signed(body, late=timedelta(minutes=minutes))
        assert "300 s" in refused(site, 401, body=body, headers=headers)

    @pytest.mark.parametrize("name", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
    def test_half_a_signature_is_refused(self, sites, settings, name):
        site = sites(settings)
        body = announced(site)
        headers = signed(body)
        del headers[name]
        assert name.lower() in refused(site, 401, body=body, headers=headers)

    def test_an_unreadable_body_is_not_read_before_its_signature(self, sites, settings):
        headers = signed(b"<tasks/>")
        text = refused(sites(settings), 401, body=b"<not even xml", headers=headers)
        assert "signature" in text


def test_what_is_not_signed_is_taken_unless_a_signature_is_required(sites):
    assert call(sites(SIGNED))[0] == 202
    assert "is not signed" in refused(sites(REQUIRED), 401)


def test_without_a_key_there_is_nothing_to_check(sites):
    body = announced(sites(""))
    assert call(sites(""), body, headers=signed(body, OLD_KEY))[0] == 202


def test_a_signature_does_not_replace_the_secret(sites):
    site = sites(f"{SIGNED}\ncallback_secret = {SECRET}")
    body = announced(site)
    assert "secret" in refused(site, 401, body=body, headers=signed(body))
    assert call(site, body, headers=signed(body), path=f"/callback/{SECRET}")[0] == 202

"""What the gate refuses to open to a network."""

import pytest

from approval.config import ConfigError, load

ANYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound here
SECRET = "a-secret-of-22-letters"
SAFE = {"callback_secret": SECRET, "public_url": "https://gate.example.com"}


@pytest.fixture
def problems(found):
    """The problems with these keys of [server] and of other sections."""

    def problems(server, more=""):
        return found(server, more)[0]

    return problems


@pytest.fixture
def warnings(found):
    """The warnings with these keys of [server], which are no problem, by their first words."""

    def warnings(server):
        problems, warnings = found(server)
        assert problems == []
        return [" ".join(warning.split()[:2]) for warning in warnings if "operator" not in warning]

    return warnings


@pytest.fixture
def found(tmp_path):
    """The problems and the warnings with these settings."""

    def found(server, more=""):
        file = tmp_path / "workflow.cfg"
        lines = "\n".join(f"{key} = {value}" for key, value in server.items())
        file.write_text(f"""\
[abiquo]
api_location = https://cloud.example.com/api
api_username = gate
api_password = secret
[mail]
from = gate@example.com
[server]
{lines}
{more}
""")
        try:
            return [], load(file, {}).warnings
        except ConfigError as error:
            return error.problems, []

    return found


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_on_this_machine_alone_no_secret_is_needed(problems, address):
    assert problems({"bind_address": address}) == []


@pytest.mark.parametrize(
    "address", [ANYWHERE, "::", "10.0.0.5", "192.168.1.1", "gate.example.com", "", "*"]
)
class TestOpenToANetwork:
    def test_a_callback_secret_is_required(self, problems, address):
        server = {"bind_address": address, "public_url": SAFE["public_url"]}
        [problem] = problems(server)
        assert problem.startswith("[server] callback_secret: is required unless")
        assert "secrets.token_urlsafe(32)" in problem

    def test_the_address_under_which_people_reach_it_is_required(self, problems, address):
        [problem] = problems({"bind_address": address, "callback_secret": SECRET})
        assert problem.startswith("[server] public_url: is required unless")

    def test_links_must_not_travel_in_clear_text(self, problems, address):
        [problem] = problems(
            SAFE | {"bind_address": address, "public_url": "http://gate.example.com"}
        )
        assert problem.startswith("[server] public_url: links decide, so they must not travel")
        assert "plain_http = yes" in problem

    def test_with_secret_and_https_all_is_well(self, problems, address):
        assert problems(SAFE | {"bind_address": address}) == []


def test_clear_text_can_be_allowed_by_name(problems):
    server = SAFE | {"bind_address": ANYWHERE, "public_url": "http://gate.example.com"}
    assert problems(server, "[links]\nplain_http = yes") == []


@pytest.mark.parametrize(
    "url",
    ["gate.example.com", "ftp://gate.example.com", "https://gate.example.com/?a=b",
     "https://gate.example.com/#top", "https://", "https://gate example.com",
     "javascript:alert(1)", "https:///path", "https://user:secret@gate.example.com",
     "https://[1:2]", "https://[gate]", "https://[::1", "https://gate:99999"],
)  # fmt: skip
def test_a_public_url_is_a_plain_web_address(problems, url):
    found = problems(SAFE | {"public_url": url})
    assert [problem.split(":")[0] for problem in found] == ["[server] public_url"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
@pytest.mark.parametrize("port", ["", ":8080"])
def test_links_to_this_machine_may_be_plain(problems, host, port):
    assert problems({"public_url": f"http://{host}{port}"}) == []


# Who may call.

KEY = "whsec_" + "a" * 32
CALLERS, PROXIES, CALLBACK = (
    "[server] callback_from", "[server] trusted_proxies", "[server] callback_secret"
)  # fmt: skip


@pytest.mark.parametrize(
    ("server", "named"),
    [
        ({}, []),
        ({"callback_secret": SECRET}, []),
        ({"public_url": SAFE["public_url"]}, [CALLERS, PROXIES, CALLBACK]),
        (SAFE, [CALLERS, PROXIES]),
        (SAFE | {"trusted_proxies": 1}, [CALLERS]),
        (SAFE | {"trusted_proxies": 1, "callback_from": "10.1.2.3"}, []),
        (SAFE | {"bind_address": ANYWHERE}, [CALLERS]),
        (SAFE | {"bind_address": ANYWHERE, "callback_from": "10.1.2.3"}, []),
        (SAFE | {"bind_address": ANYWHERE, "trusted_proxies": 1}, [CALLERS, PROXIES]),
    ],
    ids=str,
)
def test_what_stands_open_is_named(warnings, server, named):
    assert warnings(server) == named


def test_a_required_signature_is_as_good_as_a_secret(problems, warnings):
    server = {
        "bind_address": ANYWHERE,
        "public_url": SAFE["public_url"],
        "webhook_secret": KEY,
    }
    assert [problem.split(":")[0] for problem in problems(server)] == [CALLBACK]
    assert warnings(server | {"require_signature": "yes"}) == [CALLERS]


def test_a_signature_cannot_be_required_that_nobody_can_check(problems):
    [problem] = problems({"require_signature": "yes"})
    assert problem.startswith("[server] require_signature: ")
    assert "webhook_secret" in problem


@pytest.mark.parametrize(
    "network",
    ["10.1.2.3", "10.1.2.0/24", "10.1.2.0/255.255.255.0", "2001:db8::1", "2001:db8::/64",
     "10.1.2.3 10.1.2.4", "10.1.2.3, 2001:db8::1"],
)  # fmt: skip
def test_addresses_and_networks_may_call(problems, network):
    assert problems({"callback_from": network}) == []


@pytest.mark.parametrize("network", ["cloud", "10.1.2.3/24", "10.1.2", "10.1.2.3:80", "fe80::/200"])
def test_what_is_no_network_is_named(problems, network):
    [problem] = problems({"callback_from": f"10.0.0.1 {network}"})
    assert problem.startswith(f"[server] callback_from: {network!r} is no address")


@pytest.mark.parametrize("key", [KEY, KEY.removeprefix("whsec_"), f"{KEY} {KEY}", KEY + "aa=="])
def test_signing_keys_may_be_written_as_senders_show_them(problems, key):
    assert problems({"webhook_secret": key}) == []


@pytest.mark.parametrize("key", ["whsec_", "whsec_abc", "whsec_!" + "a" * 40, "a" * 100, "é" * 32])
def test_what_is_no_signing_key_is_refused_without_being_shown(problems, key):
    [problem] = problems({"webhook_secret": f"{KEY} {key}"})
    assert problem.startswith("[server] webhook_secret: is whsec_ and 24 to 64 bytes")
    assert KEY not in problem
    assert key == "whsec_" or key not in problem


@pytest.mark.parametrize("more", ["", " another-secret-of-22-letters"])
def test_who_calls_must_not_be_able_to_sign_links(problems, more):
    shared = SAFE | {"secret_key": f"a-key-of-22-letters-or-so {SECRET}{more}"}
    [problem] = problems(shared)
    assert problem.startswith("[server] callback_secret: is a secret_key too")
    assert SECRET not in problem


@pytest.mark.parametrize("relaxed", ["one_click = yes", "signed = no"])
def test_a_code_that_nobody_would_be_asked_for_is_a_problem(problems, relaxed):
    [problem] = problems(SAFE, f"[links]\ncode = yes\n{relaxed}")
    assert problem.startswith("[links] code: nobody is asked for a code")
    assert problems(SAFE, "[links]\ncode = yes") == []


@pytest.mark.parametrize("host", ["[1:2]", "::1", "a b", "gate/x", "gate:8080", "http://gate"])
def test_a_hostname_is_one(problems, host):
    found = problems({"hostname": host})
    assert [problem.split(":")[0] for problem in found] == ["[server] hostname"]

"""What the gate refuses to open to a network."""

import pytest

from approval.config import ConfigError, load

ANYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound here
SECRET = "a-secret-of-22-letters"
SAFE = {"callback_secret": SECRET, "public_url": "https://gate.example.com"}


@pytest.fixture
def problems(tmp_path):
    """The problems with these keys of [server] and of other sections."""

    def problems(server, more=""):
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
            load(file, {})
        except ConfigError as error:
            return error.problems
        return []

    return problems


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
     "javascript:alert(1)", "https:///path", "https://user:secret@gate.example.com"],
)  # fmt: skip
def test_a_public_url_is_a_plain_web_address(problems, url):
    found = problems(SAFE | {"public_url": url})
    assert [problem.split(":")[0] for problem in found] == ["[server] public_url"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
@pytest.mark.parametrize("port", ["", ":8080"])
def test_links_to_this_machine_may_be_plain(problems, host, port):
    assert problems({"public_url": f"http://{host}{port}"}) == []

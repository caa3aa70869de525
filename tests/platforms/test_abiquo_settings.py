import pytest
from pydantic import ValidationError

from approval.platforms.abiquo import Settings
from approval.section import judged

LOCATION = "https://cloud.example.com/api"


def make_settings(**changes):
    usual = {"api_location": LOCATION, "api_username": "gate", "api_password": "s3cret"}
    return Settings(**{key: value for key, value in (usual | changes).items() if value is not ...})


def found(settings):
    """What its rules find."""
    return [finding.text for finding in judged(settings.rules())]


def test_the_keys_of_the_2013_tool_are_enough():
    settings = make_settings(api_location="http://localhost/api/", api_approve_role="MANAGER")
    assert settings.api_location == "http://localhost/api"
    assert (settings.root, settings.api_timeout, settings.api_version) == ("/api", 10, "")
    assert found(settings) == []


@pytest.mark.parametrize(
    ("location", "root"),
    [
        ("https://cloud.example.com/api///", "/api"),
        ("https://cloud.example.com:8443/some/prefix/api", "/some/prefix/api"),
        ("http://[::1]:80/api", "/api"),
        (" https://api.example.com ", ""),
    ],
)
def test_the_root_is_the_path_of_the_location(location, root):
    assert make_settings(api_location=location).root == root


@pytest.mark.parametrize(
    "location",
    [
        "",
        "cloud.example.com/api",
        "ftp://cloud.example.com/api",
        "https://",
        "https:///api",
        "https://admin:xabiquo@cloud.example.com/api",
        "https://cloud.example.com/api?x=1",
        "https://cloud.example.com/api#x",
        "https://cloud.example.com//api",
        "https://cloud.example.com/../api",
        "https://cloud.example.com:port/api",
        "https://cloud.example.com:65536/api",
        "https://[1:2]/api",
        "https://[:::]/api",
        "http://[1.2.3.4]/api",
    ],
)
def test_a_location_that_is_no_plain_address_is_refused(location):
    with pytest.raises(ValidationError, match="write an address as https://"):
        make_settings(api_location=location)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"api_username": ...}, "api_username: is missing; set it, or api_token"),
        ({"api_username": " "}, "api_username: is missing; set it, or api_token"),
        ({"api_password": ...}, "api_password: is missing; set it, or api_token"),
        ({"api_password": ""}, "api_password: is missing; set it, or api_token"),
        (
            {"api_username": ..., "api_password": ..., "api_token": ""},
            "api_username: is missing; set it and api_password, or api_token",
        ),
    ],
)
def test_some_way_to_sign_in_is_needed(changes, said):
    [problem] = found(make_settings(**changes))
    assert problem.startswith(said)


def test_somewhere_to_sign_in_is_needed():
    assert found(make_settings(api_location=...)) == ["api_location: is missing; it has no default"]


def test_a_token_is_enough():
    make_settings(api_username=..., api_password=..., api_token="abc.DEF-123=")


@pytest.mark.parametrize(
    "changes",
    [
        {"api_username": "a:b"},
        {"api_token": "two words"},
        {"api_token": "tökén"},
        {"api_token": "a\nb: c"},
        {"api_ca_file": "/nowhere/ca.pem"},
        {"api_timeout": 0},
        {"api_timeout": "soon"},
        {"api_timeout": "nan"},
        {"api_version": "three"},
        {"api_version": "3.10; q=1"},
        {"api_approve_role": ""},
        {"api_pasword": "x"},
    ],
)
def test_values_that_cannot_work_are_refused(changes):
    with pytest.raises(ValidationError) as refused:
        make_settings(**changes)
    assert "s3cret" not in str(refused.value)


def test_secrets_do_not_show():
    settings = make_settings(api_token="t0ken")
    assert "s3cret" not in repr(settings)
    assert "t0ken" not in repr(settings)


def test_an_empty_file_name_is_none():
    assert make_settings(api_ca_file="").api_ca_file is None


@pytest.mark.parametrize(
    ("location", "warned"),
    [
        ("http://cloud.example.com/api", True),
        ("http://10.0.0.5/api", True),
        ("http://localhost/api", False),
        ("http://127.0.0.1:8080/api", False),
        ("http://[::1]/api", False),
        ("https://cloud.example.com/api", False),
    ],
)
def test_clear_text_over_the_network_is_warned_about(location, warned):
    hints = found(make_settings(api_location=location))
    assert any("clear text" in hint for hint in hints) is warned


def test_two_ways_to_sign_in_are_warned_about():
    assert found(make_settings(api_token="abc")) == [
        "api_token is used; api_username and api_password are not"
    ]


def test_every_key_is_explained():
    assert all(field.description for field in Settings.model_fields.values())

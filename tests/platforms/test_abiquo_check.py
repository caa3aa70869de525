"""The check of the account: what it may do, and which setting is wrong if it cannot sign in."""

import socket

import pytest
from abiquo_samples import collection, user

from approval.findings import Level, ok
from tests.conftest import free_port

ALLOWED = ("WORKFLOW_OVERRIDE", "USERS_VIEW", "VM_VIEW")
ROLE = "admin/roles/3"
PRIVILEGES = f"{ROLE}/action/privileges"


def named(*names):
    return collection(*({"id": number, "name": name} for number, name in enumerate(names)))


@pytest.fixture
def server(server):
    """A platform where all is well."""
    server.answers |= {
        "login": user(nick="admin", role_title="CLOUD_ADMIN"),
        "version": b"3.10\n",
        PRIVILEGES: named(*ALLOWED),
        "admin/roles": named("CLOUD_ADMIN", "ENTERPRISE_ADMIN", "USER"),
    }
    return server


def only(findings):
    """The one finding that is not good news."""
    [finding] = [finding for finding in findings if finding.level is not Level.OK]
    return finding


def trouble(findings, level=Level.PROBLEM):
    """The key and the words of the one finding that is not good news."""
    finding = only(findings)
    assert finding.level is level
    key, _, words = finding.text.partition(": ")
    return key, words


def test_a_check_says_what_was_found(server, abiquo):
    location = f"http://127.0.0.1:{server.port}/api"
    assert abiquo.check() == [ok(f"Abiquo 3.10 at {location}, signed in as admin (CLOUD_ADMIN)")]


@pytest.mark.parametrize("version", [None, b"", b"<html/>", b"three", (500, {}, b"")])
def test_a_version_that_is_not_told_is_no_failure(server, abiquo, version):
    server.answers["version"] = version
    [finding] = abiquo.check()
    assert finding.text.startswith("Abiquo of unknown version at http://127.0.0.1")


@pytest.mark.parametrize("missing", ["WORKFLOW_OVERRIDE", "USERS_VIEW"])
def test_a_privilege_that_the_account_lacks_is_a_problem(server, abiquo, missing):
    server.answers[PRIVILEGES] = named(*set(ALLOWED) - {missing})
    key, words = trouble(abiquo.check())
    assert key == "api_username"
    assert words.endswith(f"give its role the privilege {missing} in Abiquo")


def test_privileges_are_read_from_xml_too(server, abiquo):
    xml = b"<privileges><privilege><id>1</id><name>USERS_VIEW</name></privilege></privileges>"
    server.answers[PRIVILEGES] = xml
    assert "WORKFLOW_OVERRIDE" in trouble(abiquo.check())[1]


@pytest.mark.parametrize("answer", [None, (403, {}, b"<html/>"), collection(), b"<html/>"])
def test_privileges_that_cannot_be_read_are_no_problem(server, abiquo, answer):
    server.answers[PRIVILEGES] = answer
    assert trouble(abiquo.check(), Level.WARNING)[0] == "api_username"


def test_an_account_whose_role_is_not_told_is_no_problem(server, abiquo):
    server.answers["login"] = user(nick=None, links=[])
    findings = abiquo.check()
    assert findings[0].text.endswith("signed in as somebody")
    assert trouble(findings, Level.WARNING)[0] == "api_username"


def test_a_role_that_nobody_knows_is_a_problem(server, connect):
    server.answers["admin/enterprises/_/users"] = collection(user())
    key, words = trouble(connect(server, api_approve_role="enterprise_admim").check())
    assert key == "api_approve_role"
    assert "CLOUD_ADMIN, ENTERPRISE_ADMIN, USER" in words
    assert words.endswith("; did you mean ENTERPRISE_ADMIN?")


def test_a_role_of_one_enterprise_is_known_by_who_has_it(server, connect):
    server.answers["admin/enterprises/_/users"] = collection(user(role_title="APPROVERS"))
    [finding] = connect(server, api_approve_role="APPROVERS").check()
    assert finding.level is Level.OK


@pytest.mark.parametrize("path", ["admin/roles", "admin/enterprises/_/users"])
def test_an_account_that_may_not_see_who_approves_is_a_problem(server, connect, path):
    server.answers[path] = (403, {}, b"<html/>")
    key, words = trouble(connect(server, api_approve_role="APPROVERS").check())
    assert key == "api_username"
    assert "403 Forbidden" in words
    assert words.endswith(
        "; give its role the privileges USERS_VIEW and WORKFLOW_OVERRIDE in Abiquo"
    )


@pytest.mark.parametrize("path", ["admin/roles", "admin/enterprises/_/users"])
def test_roles_that_cannot_be_read_just_now_are_no_problem(server, connect, path):
    server.answers[path] = (503, {}, b"<html/>")
    findings = connect(server, api_approve_role="APPROVERS").check()
    assert trouble(findings, Level.WARNING)[0] == "api_approve_role"


@pytest.mark.parametrize(
    ("answer", "key", "words"),
    [
        ((401, {}, b"<html/>"), "api_username / api_password", "401 Unauthorized"),
        ((403, {}, b"<html/>"), "api_username", "403 Forbidden"),
        ((404, {}, b"<html/>"), "api_location", "404 Not Found"),
        ((302, {"Location": "/ui"}, b""), "api_location", "302 Found"),
        ((503, {}, b""), "api_location", "try again later"),
        ((406, {}, b""), "api_version", "leave it empty"),
        (b"<html>Welcome", "api_location", "answers, but not as Abiquo"),
    ],
)
def test_a_login_that_fails_names_the_key_that_is_wrong(server, abiquo, answer, key, words):
    server.answers["login"] = answer
    found = trouble(abiquo.check())
    assert found[0] == key
    assert words in found[1]


def test_a_token_that_is_refused_is_named(server, connect):
    server.answers["login"] = (401, {}, b"")
    assert trouble(connect(server, api_token="abc").check())[0] == "api_token"


@pytest.mark.parametrize(("path", "told"), [("", True), ("/ui", True), ("/api", False)])
def test_a_location_that_forgets_the_api_is_told_so(server, connect, path, told):
    server.answers["login"] = None
    location = f"http://127.0.0.1:{server.port}{path}"
    key, words = trouble(connect(server, api_location=location).check())
    assert key == "api_location"
    assert words.endswith("; it should probably end in /api") is told


def test_a_platform_that_is_not_there_is_the_location(server, connect):
    location = f"http://127.0.0.1:{free_port()}/api"
    key, words = trouble(connect(server, api_location=location).check())
    assert key == "api_location"
    assert words.startswith(f"{location} cannot be reached (GET login: ")


def test_a_port_that_waits_for_a_request_without_tls_is_told(connect):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        location = f"https://127.0.0.1:{silent.getsockname()[1]}/api"
        key, words = trouble(connect(None, api_location=location, api_timeout=0.2).check())
    assert key == "api_location"
    assert words.startswith(f"{location} begins no TLS in time (GET login: ")


@pytest.fixture
def protected(serve, certificates):
    """Serves TLS with a certificate for this name."""

    def start(name):
        context = certificates.server(name)
        return serve(
            lambda listening: context.wrap_socket(
                listening, server_side=True, do_handshake_on_connect=False
            )
        )

    return start


@pytest.mark.parametrize(
    ("name", "trusted", "key"),
    [("127.0.0.1", False, "api_ca_file"), ("10.0.0.1", True, "api_location")],
)
def test_a_certificate_that_does_not_fit_names_the_key(
    protected, connect, ca_file, name, trusted, key
):
    server = protected(name)
    location = f"https://127.0.0.1:{server.port}/api"
    changes = {"api_ca_file": ca_file} if trusted else {}
    assert trouble(connect(server, api_location=location, **changes).check())[0] == key


def test_a_platform_without_tls_is_the_location(server, connect):
    location = f"https://127.0.0.1:{server.port}/api"
    key, words = trouble(connect(server, api_location=location).check())
    assert key == "api_location"
    assert "does not speak TLS" in words


def test_a_file_without_certificates_is_the_file(protected, connect, tmp_path):
    server = protected("127.0.0.1")
    (tmp_path / "ca.pem").write_text("nothing\n")
    changes = {"api_location": f"https://127.0.0.1:{server.port}/api"}
    found = connect(server, api_ca_file=tmp_path / "ca.pem", **changes).check()
    assert trouble(found)[0] == "api_ca_file"


@pytest.mark.parametrize(
    ("listed", "level"),
    [(collection(totalSize=0), Level.PROBLEM), ((503, {}, b""), Level.WARNING)],
)
def test_an_enterprise_that_is_chosen_has_to_be_there(server, connect, listed, level):
    server.answers["admin/enterprises"] = listed
    found = connect(server, api_enterprises="Nowhere").check()
    assert trouble(found, level)[0] == "api_enterprises"

"""The check of the mail server: who may write to whom, and which setting is wrong if not."""

import socket

import pytest
import trustme

from approval.demo.mailbox import Mailbox
from approval.findings import Level, ok
from approval.mail.checking import check
from approval.mail.smtp import Security, Server, Smtp
from tests.conftest import free_port

GATE, OPERATOR = "gate@gate.example", "operator@gate.example"
unprotected_login = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


def findings(port, operator=OPERATOR, **options):
    smtp = Smtp(Server(port=port, **{"host": "127.0.0.1", "timeout": 5} | options))
    try:
        return check(smtp, GATE, operator)
    finally:
        smtp.close()


def trouble(port, *, level=Level.PROBLEM, **options):
    """The key and the words of the only finding."""
    [finding] = findings(port, **options)
    assert finding.level is level
    key, _, words = finding.text.partition(": ")
    return key, words


def test_it_says_who_may_write_to_whom_and_sends_nothing(scripted):
    text = f"127.0.0.1:{scripted.port} takes mail from {GATE} to {OPERATOR}"
    assert findings(scripted.port) == [ok(text)]
    assert scripted.verbs == [["EHLO", "MAIL", "RCPT", "RSET", "QUIT"]]


def test_without_an_operator_the_sender_alone_is_asked_about(scripted):
    assert findings(scripted.port, None) == [
        ok(f"127.0.0.1:{scripted.port} takes mail from {GATE}")
    ]
    assert scripted.verbs == [["EHLO", "MAIL", "RSET", "QUIT"]]


def test_nothing_arrives_at_a_real_mail_server(mailbox):
    [finding] = findings(mailbox.smtp_port)
    assert finding.level is Level.OK
    assert mailbox.count == 0


@pytest.mark.parametrize(
    ("verb", "reply", "key", "level"),
    [
        ("MAIL", "550 not yours", "from", Level.PROBLEM),
        ("MAIL", "530 5.7.0 authentication required", "username", Level.PROBLEM),
        ("MAIL", "451 later", "host", Level.PROBLEM),
        ("RCPT", "550 no such user", "operator", Level.PROBLEM),
        ("RCPT", "554 5.7.1 Relay access denied", "operator", Level.PROBLEM),
        ("RCPT", f"553 5.7.1 <{GATE}>: Sender address rejected", "from", Level.PROBLEM),
        ("RCPT", "550 5.1.8 no such domain", "from", Level.PROBLEM),
        ("RCPT", "450 4.2.0 greylisted", "operator", Level.WARNING),
    ],
)
def test_a_refusal_names_whom_it_is_about(scripted, verb, reply, key, level):
    scripted.replies[verb] = reply
    found = trouble(scripted.port, level=level)
    assert found[0] == key
    assert reply in found[1]


def test_a_mail_server_that_is_not_there_is_its_place():
    key, words = trouble(free_port())
    assert key == "host / port"
    assert "cannot be reached" in words


def test_a_name_that_does_not_exist_is_the_host():
    assert trouble(25, host="mail.invalid")[0] == "host"


def test_a_server_that_waits_for_tls_is_told_by_its_silence():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        key, words = trouble(silent.getsockname()[1], timeout=0.2)
    assert key == "host / port"
    assert words.endswith("security = tls if this is a port for that")


def test_a_server_without_starttls_is_the_security(scripted):
    assert trouble(scripted.port, security=Security.STARTTLS)[0] == "security"


def test_a_server_without_tls_is_the_security(scripted):
    assert trouble(scripted.port, security=Security.TLS)[0] == "security"


def test_a_server_without_login_is_the_username(scripted):
    assert trouble(scripted.port, username="gate", password="x")[0] == "username"


def test_a_server_with_other_logins_is_the_username(scripted):
    scripted.replies["EHLO"] = "250-scripted.example\r\n250 AUTH GSSAPI"
    assert trouble(scripted.port, username="gate", password="x")[0] == "username"


@unprotected_login
def test_a_login_that_is_refused_is_the_login(certificates, ca_file):
    context = certificates.server("127.0.0.1")
    options = {"security": Security.TLS, "ca_file": ca_file, "username": "gate"}
    with Mailbox(login=("gate", "right"), tls=context) as mailbox:
        key, words = trouble(mailbox.smtp_port, password="wr0ng", **options)
    assert key == "username / password"
    assert "wr0ng" not in words


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
@pytest.mark.parametrize(
    ("name", "trusted", "key"), [("127.0.0.1", False, "ca_file"), ("10.0.0.1", True, "host")]
)
def test_a_certificate_that_does_not_fit_names_the_key(
    certificates, ca_file, tmp_path, security, name, trusted, key
):
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    side = {"tls" if security is Security.TLS else "starttls": certificates.server(name)}
    with Mailbox(**side) as mailbox:
        authority = ca_file if trusted else other
        assert trouble(mailbox.smtp_port, security=security, ca_file=authority)[0] == key


def test_a_file_without_certificates_is_the_file(scripted, tmp_path):
    (tmp_path / "ca.pem").write_text("nothing\n")
    options = {"security": Security.STARTTLS, "ca_file": tmp_path / "ca.pem"}
    assert trouble(scripted.port, **options)[0] == "ca_file"

"""Handing messages to real mail servers: protected as asked, reused, never waited for for ever."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import trustme

from approval.demo.mailbox import Mailbox
from approval.mail import MailError, RecipientRefused
from approval.mail import smtp as smtp_module
from approval.mail.message import Sender, compose
from approval.mail.smtp import Security, Server, Smtp
from tests.conftest import free_port
from tests.scripted import HANDSHAKE, dripping_server

# The server library does not know that a connection may be protected from its start.
unprotected_login = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
NONE, STARTTLS, TLS = Security.NONE, Security.STARTTLS, Security.TLS


@contextmanager
def client(port, **options):
    smtp = Smtp(Server(host="127.0.0.1", port=port, **{"timeout": 5} | options))
    yield smtp
    smtp.close()


def message(to="mona@acme.example", key="k"):
    sender = Sender("Approval gate", "gate@gate.example")
    now = datetime(2026, 11, 21, tzinfo=UTC)
    return compose(sender, ("Mona", to), "größe", "t\n.\nu\n", "h\n", key=key, thread=None, now=now)


def complaint(port, **options):
    """The error that sending ends in."""
    with client(port, **options) as smtp, pytest.raises(MailError) as failed:
        smtp.send(message())
    return failed.value


@pytest.mark.parametrize("security", [NONE, STARTTLS, TLS])
def test_a_message_arrives_over_every_kind_of_connection(certificates, ca_file, security):
    context = certificates.server("127.0.0.1")
    sides = {NONE: {}, STARTTLS: {"starttls": context}, TLS: {"tls": context}}
    with (
        Mailbox(**sides[security]) as mailbox,
        client(mailbox.smtp_port, security=security, ca_file=ca_file) as smtp,
    ):
        smtp.send(message())
        [mail] = mailbox.messages
    assert mail.sender == "gate@gate.example"
    assert mail.recipients == ("mona@acme.example",)
    assert mail.subject == "größe"
    assert mail.text == "t\n.\nu\n"


@unprotected_login
@pytest.mark.parametrize("security", [STARTTLS, TLS])
def test_the_login_goes_over_the_protected_connection(certificates, ca_file, security):
    context = certificates.server("127.0.0.1")
    side = {"starttls": context} if security is STARTTLS else {"tls": context}
    options = {"security": security, "ca_file": ca_file, "username": "gate"}
    with Mailbox(login=("gate", "word%"), **side) as mailbox:
        with client(mailbox.smtp_port, password="word%", **options) as smtp:
            smtp.send(message())
        assert len(mailbox.messages) == 1


@unprotected_login
@pytest.mark.parametrize("security", [STARTTLS, TLS])
def test_a_wrong_password_is_for_the_operator_to_mend(certificates, ca_file, security):
    context = certificates.server("127.0.0.1")
    side = {"starttls": context} if security is STARTTLS else {"tls": context}
    with Mailbox(login=("gate", "right"), **side) as mailbox:
        options = {"security": security, "ca_file": ca_file}
        error = complaint(mailbox.smtp_port, username="gate", password="wr0ng!", **options)
    assert (error.alert, error.permanent) == (True, False)
    assert "refused the login: 535" in str(error)
    assert "wr0ng!" not in str(error)


@pytest.mark.parametrize("security", [STARTTLS, TLS])
@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_a_server_that_cannot_prove_who_it_is_gets_nothing(
    certificates, ca_file, security, wrong, tmp_path
):
    context = certificates.server("127.0.0.1" if wrong == "authority" else "mail.example")
    if wrong == "authority":
        ca_file = tmp_path / "other.pem"
        trustme.CA().cert_pem.write_to_path(ca_file)
    side = {"starttls": context} if security is STARTTLS else {"tls": context}
    with Mailbox(**side) as mailbox:
        error = complaint(mailbox.smtp_port, security=security, ca_file=ca_file)
        assert mailbox.count == 0
    assert error.alert
    assert "could not prove who it is" in str(error)


def test_without_a_file_of_authorities_the_public_ones_count(certificates):
    with Mailbox(tls=certificates.server("127.0.0.1")) as mailbox:
        assert "could not prove who it is" in str(complaint(mailbox.smtp_port, security=TLS))


def test_a_server_that_does_not_offer_starttls_hears_neither_login_nor_mail(scripted):
    scripted.replies["EHLO"] = "250-scripted.example\r\n250 AUTH PLAIN LOGIN"
    options = {"security": STARTTLS, "username": "gate", "password": "secret"}
    error = complaint(scripted.port, **options)
    assert error.alert
    assert scripted.verbs == [["EHLO"]]


def test_a_server_that_refuses_starttls_hears_neither_login_nor_mail(scripted):
    scripted.replies["EHLO"] = "250-scripted.example\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN"
    scripted.replies["STARTTLS"] = "454 not now"
    options = {"security": STARTTLS, "username": "gate", "password": "secret"}
    error = complaint(scripted.port, **options)
    assert not error.permanent
    assert scripted.verbs == [["EHLO", "STARTTLS"]]


def test_a_server_without_tls_is_not_spoken_to_in_clear_if_tls_is_asked_for():
    with Mailbox() as mailbox:
        assert complaint(mailbox.smtp_port, security=TLS).alert
        assert mailbox.count == 0


def test_nobody_there_is_worth_another_try():
    error = complaint(free_port())
    assert (error.permanent, error.alert) == (False, False)
    assert "cannot be reached" in str(error)


@pytest.mark.parametrize("silent_at", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "."])
def test_a_silent_server_is_given_up_after_the_timeout(scripted, silent_at):
    if silent_at == "greeting":
        scripted.greeting = ""
    else:
        scripted.replies[silent_at] = ""
    error = complaint(scripted.port, timeout=0.2)
    assert (error.permanent, error.alert) == (False, False)


@pytest.mark.parametrize("verb", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "."])
def test_a_server_that_never_finishes_a_reply_is_given_up(scripted, verb):
    scripted.dripping = verb
    error = complaint(scripted.port, timeout=0.2)
    assert (error.permanent, error.alert) == (False, False)
    assert "cannot be reached" in str(error)


def test_a_server_that_never_finishes_its_goodbye_keeps_nobody(scripted, monkeypatch):
    monkeypatch.setattr(smtp_module, "GOODBYE", 0.2)
    scripted.dripping = "QUIT"
    with client(scripted.port) as smtp:
        smtp.send(message())
    assert len(scripted.messages) == 1
    assert not scripted.dripped


def test_a_server_that_never_finishes_its_handshake_is_given_up():
    with dripping_server(HANDSHAKE) as port:
        error = complaint(port, security=TLS, timeout=0.2)
    assert (error.permanent, error.alert) == (False, False)


@pytest.mark.parametrize("verb", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "."])
def test_a_server_that_never_stops_talking_is_not_listened_to(scripted, verb):
    megabytes = []

    def talks(reply):
        for _ in range(100):
            yield (b"250-" + b"x" * 58 + b"\r\n") * 2**14
            megabytes.append(1)
        yield reply

    scripted.manners[verb] = talks
    error = complaint(scripted.port)
    assert (error.permanent, error.alert) == (False, False)
    assert len(megabytes) < 40


@pytest.mark.parametrize("verb", ["EHLO", "MAIL", "RCPT", "DATA", "."])
def test_a_server_that_hangs_up_is_tried_again_later(scripted, verb):
    scripted.replies[verb] = None
    error = complaint(scripted.port)
    assert (error.permanent, error.alert) == (False, False)


@pytest.mark.parametrize(
    ("verb", "reply", "refused", "permanent"),
    [
        ("RCPT", "550 no such user", True, True),
        ("RCPT", "553 mailbox name not allowed", True, True),
        ("RCPT", "451 greylisted", False, False),
        ("RCPT", "421 too many", False, False),
        ("MAIL", "451 later", False, False),
        ("MAIL", "550 not you", False, False),
        ("DATA", "451 later", False, False),
        (".", "452 disk full", False, False),
        (".", "554 looks like spam", False, True),
    ],
)
def test_transient_refusals_are_told_from_those_for_good(scripted, verb, reply, refused, permanent):
    scripted.replies[verb] = reply
    error = complaint(scripted.port)
    assert isinstance(error, RecipientRefused) is refused
    assert error.permanent is permanent
    assert reply[:3] in str(error)


def test_what_a_server_answers_is_one_short_line_in_our_words(scripted):
    scripted.replies["RCPT"] = "550-no\r\n550-such\x1b[31m\r\n550 user " + "x" * 400
    text = str(complaint(scripted.port))
    assert "\n" not in text
    assert len(text) < 300


def test_one_connection_serves_one_message_after_the_other(scripted):
    with client(scripted.port) as smtp:
        for _ in range(3):
            smtp.send(message())
    assert len(scripted.heard) == 1
    assert scripted.verbs[0].count("DATA") == 3
    assert scripted.verbs[0][-1] == "QUIT"


def test_a_refused_recipient_does_not_spoil_the_connection_for_others(scripted):
    with client(scripted.port) as smtp:
        scripted.replies["RCPT"] = "550 no such user"
        with pytest.raises(RecipientRefused):
            smtp.send(message())
        scripted.replies["RCPT"] = "250 OK"
        smtp.send(message())
    assert len(scripted.heard) == 1
    assert "RSET" in scripted.verbs[0]


def test_a_connection_that_died_meanwhile_is_replaced_unnoticed():
    port = free_port()
    with client(port) as smtp:
        for _ in range(2):
            with Mailbox(smtp_port=port) as mailbox:
                smtp.send(message())
                assert mailbox.count == 1


def test_a_connection_is_not_used_for_ever(scripted):
    with client(scripted.port) as smtp:
        for _ in range(101):
            smtp.send(message())
    assert [verbs.count("DATA") for verbs in scripted.verbs] == [100, 1]


def test_many_threads_send_side_by_side_and_nothing_is_mixed_up():
    with Mailbox() as mailbox, client(mailbox.smtp_port) as smtp:
        people = [f"user{number}@acme.example" for number in range(60)]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda to: smtp.send(message(to, key=to[:6])), people))
        mails = mailbox.messages
    assert sorted(mail.recipients for mail in mails) == sorted((to,) for to in people)
    assert all(mail.message["To"].addresses[0].addr_spec in mail.recipients for mail in mails)


def test_a_mix_of_recipients_goes_its_ways():
    replies = {"gone@acme.example": "550 no such user", "busy@acme.example": "451 later"}
    ends = {}
    with Mailbox(replies=replies) as mailbox, client(mailbox.smtp_port) as smtp:
        for name in ("ann", "gone", "bob", "busy", "cid"):
            try:
                smtp.send(message(f"{name}@acme.example"))
                ends[name] = "sent"
            except MailError as error:
                ends[name] = "for good" if error.permanent else "later"
        assert [mail.recipients[0][:3] for mail in mailbox.messages] == ["ann", "bob", "cid"]
    assert ends == {"ann": "sent", "gone": "for good", "bob": "sent", "busy": "later",
                    "cid": "sent"}  # fmt: skip

import smtplib
import ssl
import threading
from email.message import EmailMessage

import pytest
import requests
import trustme

from approval.demo.mailbox import Mailbox


def make_mail(to="mona@acme.example", subject="Größer?", html="<p>Accept &amp; go</p>"):
    mail = EmailMessage()
    mail["From"] = "Approvals <gate@acme.example>"
    mail["To"] = to
    mail["Subject"] = subject
    mail.set_content("Accept or decline")
    if html:
        mail.add_alternative(html, subtype="html")
    return mail


def send(mailbox, *mails, **options):
    with smtplib.SMTP("127.0.0.1", mailbox.smtp_port, timeout=5, **options) as client:
        for mail in mails:
            client.send_message(mail)


@pytest.fixture
def mailbox():
    with Mailbox() as mailbox:
        yield mailbox


def test_keeps_what_was_sent_with_its_envelope(mailbox):
    with smtplib.SMTP("127.0.0.1", mailbox.smtp_port, timeout=5) as client:
        client.send_message(make_mail(), "bounces@acme.example", ["a@x.example", "b@x.example"])
    (mail,) = mailbox.wait_for(1)
    assert mail.sender == "bounces@acme.example"
    assert mail.recipients == ("a@x.example", "b@x.example")
    assert mail.subject == "Größer?"
    assert (mail.text, mail.html) == ("Accept or decline\n", "<p>Accept &amp; go</p>\n")


def test_waits_for_a_mail_that_is_wanted(mailbox):
    later = threading.Timer(0.02, send, (mailbox, make_mail(subject="one"), make_mail()))
    later.start()
    (mail,) = mailbox.wait_for(lambda mail: mail.subject == "Größer?")
    later.join()
    assert mail.number == 2


def test_says_what_is_there_when_the_wanted_mail_does_not_come(mailbox):
    send(mailbox, make_mail(subject="other"))
    with pytest.raises(TimeoutError, match=r"mona@acme\.example: other"):
        mailbox.wait_for(2, timeout=0.01)


def test_keeps_only_the_last_mails_but_counts_all():
    with Mailbox(keep=2) as mailbox:
        send(mailbox, *(make_mail(subject=str(number)) for number in range(3)))
        assert [mail.subject for mail in mailbox.messages] == ["1", "2"]
        assert mailbox.count == 3


def test_refuses_recipients_as_told():
    replies = {"gone@acme.example": "550 no such user", "busy@acme.example": "451 later"}
    with Mailbox(replies=replies) as mailbox:
        with smtplib.SMTP("127.0.0.1", mailbox.smtp_port, timeout=5) as client:
            refused = client.sendmail("gate@acme.example", [*replies, "mona@acme.example"], "Hi")
        assert {address: code for address, (code, _) in refused.items()} == {
            "gone@acme.example": 550,
            "busy@acme.example": 451,
        }
        assert mailbox.messages[0].recipients == ("mona@acme.example",)


def test_a_function_can_decide_about_recipients():
    with Mailbox(
        replies=lambda address: "550 no" if address.startswith("max") else None
    ) as mailbox:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            send(mailbox, make_mail(to="max@acme.example"))
        send(mailbox, make_mail(to="ana@acme.example"))
        assert mailbox.count == 1


def test_speaks_tls_and_wants_a_login_when_told():
    authority = trustme.CA()
    server, client = (
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    )
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    with (
        Mailbox(starttls=server, login=("gate", "secret")) as mailbox,
        smtplib.SMTP("127.0.0.1", mailbox.smtp_port, timeout=5) as smtp,
    ):
        with pytest.raises(smtplib.SMTPSenderRefused):
            smtp.send_message(make_mail())
        smtp.starttls(context=client)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login("gate", "guess")
        smtp.login("gate", "secret")
        smtp.send_message(make_mail())
        assert mailbox.count == 1


def test_speaks_tls_from_the_start_when_told():
    authority = trustme.CA()
    server, client = (
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    )
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    with Mailbox(tls=server) as mailbox:
        with smtplib.SMTP_SSL("127.0.0.1", mailbox.smtp_port, timeout=5, context=client) as smtp:
            smtp.send_message(make_mail())
        assert mailbox.count == 1


def test_closing_hangs_up_on_clients_and_ends_all_threads():
    before = set(threading.enumerate())
    with Mailbox() as mailbox:
        client = smtplib.SMTP("127.0.0.1", mailbox.smtp_port, timeout=5)
    assert set(threading.enumerate()) <= before
    with pytest.raises(smtplib.SMTPServerDisconnected):
        client.noop()


def test_the_page_lists_mails_the_newest_first(mailbox):
    assert "No mail yet" in requests.get(mailbox.url, timeout=5).text
    send(mailbox, make_mail(subject="first"), make_mail(subject="<second>"))
    shown = requests.get(mailbox.url, timeout=5).text
    assert shown.index("&lt;second&gt;") < shown.index("<strong>first")


def test_the_page_of_a_mail_keeps_its_html_apart(mailbox):
    send(mailbox, make_mail(html='<script>alert(1)</script><a href="/x">Accept</a>'))
    shown = requests.get(f"{mailbox.url}/mails/1", timeout=5).text
    assert "<script>" not in shown
    assert 'srcdoc="&lt;base target=' in shown
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox' in shown
    assert "Accept or decline" in shown


def test_a_mail_without_html_is_shown_too(mailbox):
    send(mailbox, make_mail(html=None))
    shown = requests.get(f"{mailbox.url}/mails/1", timeout=5).text
    assert "<iframe" not in shown
    assert requests.get(f"{mailbox.url}/mails/2", timeout=5).status_code == 404

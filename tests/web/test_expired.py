"""Links that are too old decide nothing, and can be renewed by mail."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from approval.links import REQUEST, TASK, Links
from approval.store.tables import APPROVERS
from tests.conftest import MAX, MONA, form_of
from tests.forms import buttons, press, words


@pytest.fixture
def asked(site):
    """Two tasks, and Mona's mail about them, which came a week ago."""
    tasks = site.deploy(2)
    mail = site.mail(tasks[0])
    site.settle()
    week_ago = datetime.now(UTC) - timedelta(days=7)
    site.gate.change(sa.update(APPROVERS).values(mailed_at=week_ago))
    return tasks, mail


def old(site, link):
    """The same link as it was signed a while ago: it has just run out."""
    query = parse_qs(urlsplit(link).query)
    purpose = TASK if "task" in query else REQUEST
    key = site.gate.key
    links = Links([key], site.gate.url, timedelta(days=7))
    token = query["token"][0]
    read = links.read(purpose, token)
    expired = links.token(purpose, read.approver_id, read.subject, datetime.now(UTC))
    return link.replace(token, expired)


def asks(site, task, to=MONA):
    """How many mails with links to a task somebody has."""
    return len([mail for mail in site.mails.all() if mail.to == to and task in mail.text])


@pytest.mark.parametrize("route", ["accept", "decline", "multiple", "review"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_an_expired_link_decides_nothing(site, asked, route, method):
    tasks, mail = asked
    link = old(site, next(url for url in mail.links if f"/{route}?" in url))
    before = site.gate.tables()
    path, fields = form_of(link)
    sent = {"url": path, "data": fields} if method == "POST" else {"url": link}
    answer = site.gate.session.request(method, timeout=10, **sent)
    assert answer.status_code == (405 if (route, method) == ("review", "POST") else 410)
    site.settle()
    assert site.gate.tables() == before
    assert [site.posts(task) for task in tasks] == [[], []]


def test_an_expired_link_offers_a_fresh_one_which_is_mailed_once(site, asked):
    tasks, mail = asked
    page = site.gate.get(old(site, mail.link("accept", task=tasks[0])))
    assert "This link has expired" in words(page)
    for _ in range(3):
        sent = press(site.gate, page, "Mail me a fresh link")
        assert sent.status_code == 200
        assert "A fresh link is on its way" in words(sent)
        site.settle()
    assert (asks(site, tasks[0]), asks(site, tasks[0], MAX)) == (2, 1)
    fresh = [m for m in site.mails.all() if m.to == MONA and tasks[0] in m.text][1]
    assert fresh.message["In-Reply-To"] == mail.message["Message-ID"]
    assert fresh.message["Message-ID"] != mail.message["Message-ID"]
    assert site.gate.press(fresh.link("accept", task=tasks[0])).status_code == 200
    site.settle()
    assert site.posts(tasks[0]) == ["continue"]


def test_nothing_is_mailed_before_the_button_is_pressed(site, asked):
    tasks, mail = asked
    for _ in range(5):
        site.gate.get(old(site, mail.link("review")))
    site.settle()
    assert asks(site, tasks[0]) == 1


def test_the_fresh_mail_leaves_out_what_was_decided_meanwhile(site, asked):
    tasks, mail = asked
    page = site.gate.get(old(site, mail.link("review")))
    site.gate.press(site.mail(tasks[0], MAX).link("decline", task=tasks[0]))
    press(site.gate, page, "Mail me a fresh link")
    site.settle()
    fresh = [m for m in site.mails.all() if m.to == MONA and tasks[1] in m.text][1]
    assert tasks[0] not in fresh.text


def test_when_all_is_decided_an_expired_link_offers_nothing(site, asked):
    tasks, mail = asked
    page = site.gate.get(old(site, mail.link("review")))
    site.gate.press(next(url for url in site.mail(tasks[0], MAX).links if "/multiple?" in url))
    gone = site.gate.get(old(site, mail.link("review")))
    assert gone.status_code == 410
    assert buttons(gone) == []
    assert "Decided already" in words(gone)
    assert "by Max" in words(gone)
    late = press(site.gate, page, "Mail me a fresh link")
    assert "on its way" not in words(late)
    site.settle()
    assert asks(site, tasks[0]) == 1


def test_a_renewed_link_is_in_the_audit_trail(site, asked):
    _, mail = asked
    press(site.gate, site.gate.get(old(site, mail.link("review"))), "Mail me a fresh link")
    assert site.gate.events(mail_request(mail)).count("link renewed") == 1


def mail_request(mail):
    return parse_qs(urlsplit(mail.link("review")).query)["request"][0]

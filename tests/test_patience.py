"""What becomes of a request that nobody decides, over HTTP and SMTP."""

import pytest
import sqlalchemy as sa

from approval.clock import utc_now
from approval.store.jobs import Kind
from approval.store.tables import JOBS, REQUESTS
from tests.conftest import ANA, MAX, MONA, served_site
from tests.forms import press, words


@pytest.fixture
def site(tmp_path):
    with served_site(tmp_path, "[policy]\nremind_after = 1 day\ndecline_after = 3 days") as site:
        yield site


def time_comes(site, kind):
    """What was promised for later is due now."""
    if kind is Kind.LAPSE:
        site.gate.change(sa.update(REQUESTS).values(decline_at=utc_now()))
    due = sa.update(JOBS).where(JOBS.c.kind == kind).values(due=utc_now())
    site.gate.change(due)
    site.gate.service.engine.wake(["mail", "upkeep"])
    site.settle()


def test_who_has_not_decided_is_reminded_and_can_decide_by_the_links_of_that_mail(site):
    [task] = site.deploy()
    first = site.mail(task)
    site.settle()
    time_comes(site, Kind.REMIND)
    reminder = site.mails.to(MONA, "Re: Approval needed")
    assert reminder.message["In-Reply-To"] == first.message["Message-ID"]
    page = site.gate.get(reminder.link("accept"))
    assert press(site.gate, page, "Accept").status_code == 200
    site.settle()
    assert site.posts(task) == ["continue"]
    assert site.gate.tables()["jobs"] == []


def test_what_nobody_decides_in_time_is_cancelled_and_everybody_knows(site):
    [task] = site.deploy()
    mail = site.mail(task)
    site.settle()
    announced = "what nobody has decided by then is declined"
    assert announced in mail.text
    page = site.gate.get(mail.link("accept"))
    assert announced in words(page)
    time_comes(site, Kind.LAPSE)
    assert site.posts(task) == ["cancel"]
    for address, subject in ((ANA, "Declined"), (MONA, "Re: "), (MAX, "Re: ")):
        told = site.mails.to(address, subject).text
        assert "by a rule of the gate" in told
        assert "nobody decided within" in told
    late = press(site.gate, page, "Accept")
    assert late.status_code == 410
    assert "Declined" in words(late)
    assert "nobody decided within" in words(late)
    site.settle()
    assert site.posts(task) == ["cancel"]


def test_no_figure_makes_promises_for_later_look_late(site):
    [task] = site.deploy()
    site.mail(task)
    site.settle()
    figures = site.gate.get("/metrics").text
    assert 'approval_jobs_waiting{kind="remind"} 2.0' in figures
    assert 'approval_jobs_oldest_seconds{kind="remind"} 0.0' in figures
    assert 'approval_jobs_oldest_seconds{kind="lapse"} 0.0' in figures
    assert site.gate.get("/readyz").json()["oldest_undelivered_seconds"] == 0

"""Links that the operator withdrew decide nothing, from the moment on."""

import pytest

from tests.conftest import MAX, MONA, form_of
from tests.forms import words
from tests.web.test_expired import old


@pytest.fixture
def approval(site):
    """Runs `approval` beside the gate that is served, when nothing is under way."""
    import os

    from click.testing import CliRunner

    from approval.cli import main

    def approval(*said):
        site.settle()
        settings = ["--config", str(site.gate.folder / "workflow.cfg")]
        return CliRunner(env=dict.fromkeys(os.environ)).invoke(
            main, [said[0], *settings, *said[1:]], catch_exceptions=False
        )

    return approval


def request_of(mail):
    return form_of(mail.link("review"))[1]["request"]


def statuses(site, mail):
    pressed = [site.gate.press(link) for link in mail.links if "/review" not in link]
    return {page.status_code for page in [site.gate.get(link) for link in mail.links] + pressed}


def test_a_withdrawn_link_says_so_and_decides_nothing(site, approval):
    tasks = site.deploy(2)
    mail, other = site.mail(tasks[0]), site.mail(tasks[0], MAX)
    assert approval("revoke", "--request", request_of(mail), "--person", MONA).exit_code == 0
    assert statuses(site, mail) == {410}
    assert "withdrawn" in words(site.gate.get(mail.link("review")))
    site.settle()
    assert [site.posts(task) for task in tasks] == [[], []]
    assert site.gate.press(other.link("accept", task=tasks[0])).status_code == 200


def test_nobody_can_decide_a_request_whose_links_are_withdrawn_and_the_operator_is_told(
    site, approval
):
    [task] = site.deploy()
    mails = [site.mail(task), site.mail(task, MAX)]
    result = approval("revoke", "--request", request_of(mails[0]))
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "2 withdrawn")
    assert [statuses(site, mail) for mail in mails] == [{410}, {410}]
    assert site.gate.events(request_of(mails[0]))[-2:] == ["links revoked"] * 2
    site.gate.hurry()
    alert = site.mails.to("operator@gate.example", "Nobody is left")
    assert request_of(mails[0]) in alert.text


def test_a_person_is_withdrawn_from_all_open_requests_at_once(site, approval):
    (one,), (other,) = site.deploy(), site.deploy()
    mails = [site.mail(one), site.mail(other)]
    approval("revoke", "--person", MONA.upper())
    assert [statuses(site, mail) for mail in mails] == [{410}, {410}]
    approval("revoke", "--lift", "--person", MONA)
    assert site.gate.press(mails[0].link("accept")).status_code == 200


def test_who_is_withdrawn_gets_no_fresh_link_and_no_further_mail(site, approval):
    [task] = site.deploy()
    mail, other = site.mail(task), site.mail(task, MAX)
    site.settle()
    approval("revoke", "--request", request_of(mail), "--person", MONA)
    mine = [received for received in site.mails.all() if received.to == MONA]
    expired = old(site, mail.link("accept"))
    assert "withdrawn" in words(site.gate.get(expired))
    fresh = site.gate.post("/fresh", {"token": form_of(expired)[1]["token"]})
    assert (fresh.status_code, "withdrawn" in words(fresh)) == (410, True)
    site.gate.press(other.link("decline"))
    site.settle()
    assert len([received for received in site.mails.all() if received.to == MONA]) == len(mine)


def test_a_stranger_does_not_learn_that_anything_was_withdrawn(site, approval):
    [task] = site.deploy()
    mail = site.mail(task)
    approval("revoke", "--request", request_of(mail))
    forged = site.gate.get(mail.link("accept")[:-4] + "AAAA")
    unknown = site.gate.get("/accept?task=unknown&token=x")
    assert (forged.status_code, forged.content) == (404, unknown.content)


def test_nothing_to_withdraw_is_said(approval):
    result = approval("revoke", "--request", "unknown")
    words = "problem  there is no request or task unknown\n"
    assert (result.exit_code, result.output) == (1, words)
    assert approval("revoke").exit_code == 2

"""Opening a link never decides anything: mail scanners open every one."""

import itertools
import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conftest import MAX, MONA
from tests.forms import press

AGENTS = [
    "",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "ProofpointURLDefense/1.0",
    "python-requests/2.32",
]


def test_scanners_that_open_every_link_change_nothing_and_people_can_still_decide(site):
    tasks = site.deploy(2)
    mail = site.mail(tasks[0])
    site.settle()
    links = list(dict.fromkeys(mail.links))
    assert len(links) == 7
    before, calls, mails = site.gate.tables(), len(site.cloud.calls), len(site.mails.all())
    agents, statuses = itertools.cycle(AGENTS), set()
    for time in range(50):
        for link in links[:: 1 if time % 2 else -1]:
            for method in ("GET", "HEAD", "OPTIONS"):
                headers = {"User-Agent": next(agents)}
                answer = site.gate.session.request(method, link, headers=headers, timeout=10)
                statuses.add(answer.status_code)
    site.settle()
    assert statuses == {200}
    assert site.gate.tables() == before
    assert (len(site.cloud.calls), len(site.mails.all())) == (calls, mails)
    result = site.gate.press(mail.link("accept", task=tasks[0]))
    assert result.status_code == 200
    site.settle()
    assert (site.posts(tasks[0]), site.posts(tasks[1])) == (["continue"], [])


def test_both_parts_of_a_mail_hold_the_same_links(site):
    mail = site.mail(site.deploy(3)[0])
    assert set(mail.links) == set(re.findall(r"http\S+", mail.text))
    assert max(len(line) for line in mail.message.as_bytes().splitlines()) <= 998


@pytest.mark.parametrize("link", ["accept", "decline", "multiple", "review"])
def test_every_agent_sees_the_same_page(site, link):
    mail = site.mail(site.deploy(2)[0])
    url = next(url for url in mail.links if f"/{link}?" in url)
    pages = {site.gate.get(url, headers={"User-Agent": agent}).text for agent in AGENTS}
    assert len({without_ages(page) for page in pages}) == 1


def without_ages(page):
    """The page without "3 seconds ago", which may change from one look to the next."""
    return "\n".join(line for line in page.splitlines() if "ago" not in line and "now" not in line)


@pytest.mark.parametrize("page", ["confirm", "review", "result", "gone"])
def test_pages_hold_nothing_that_acts_by_itself(site, page):
    tasks = site.deploy(2)
    mail = site.mail(tasks[0])
    text = open_page(site.gate, mail, tasks[0], page).text.lower()
    for active in ("<script", "http-equiv", "javascript:", " onload", " onclick", "autofocus"):
        assert active not in text
    assert "src=" not in text


def open_page(gate, mail, task, page):
    accept = gate.get(mail.link("accept", task=task))
    if page == "confirm":
        return accept
    if page == "review":
        return gate.get(mail.link("review"))
    result = press(gate, accept, "Accept")
    return result if page == "result" else gate.get(mail.link("accept", task=task))


def test_the_links_of_every_approver_are_their_own(site):
    [task] = site.deploy()
    mona, max = site.mail(task, MONA), site.mail(task, MAX)
    assert not set(mona.links) & set(max.links)


def test_the_page_leads_with_the_button_that_was_clicked_and_offers_both(site):
    [task] = site.deploy()
    mail = site.mail(task)
    for action, other in (("accept", "decline"), ("decline", "accept")):
        page = site.gate.get(mail.link(action)).text
        first, second = page.index(f'formaction="{action}"'), page.index(f'formaction="{other}"')
        assert first < second


def test_on_the_page_of_one_link_the_other_choice_can_be_made(site):
    [task] = site.deploy()
    page = site.gate.get(site.mail(task).link("accept"))
    assert press(site.gate, page, "Decline", comment="not now").status_code == 200
    site.settle()
    assert site.posts(task) == ["cancel"]


def looks(capfd):
    """What the log says of the links that were opened."""
    events = (json.loads(line) for line in capfd.readouterr().err.splitlines())
    return [event for event in events if event["event"] == "request" and event["method"] == "GET"]


def test_a_look_is_a_line_of_the_log_that_says_whose_link_to_what_it_was(site, capfd):
    mail = site.mail(site.deploy(2)[0])
    site.settle()
    request_id = parse_qs(urlsplit(mail.link("review")).query)["request"][0]
    rows = site.gate.tables()["approvers"]
    [approver] = [row.id for row in rows if (row.request_id, row.address) == (request_id, MONA)]
    links = list(dict.fromkeys(mail.links))
    looks(capfd)
    for link in links:
        site.gate.get(link)
    seen = looks(capfd)
    assert [event["path"] for event in seen] == [urlsplit(link).path for link in links]
    assert {(event["request"], event["approver"]) for event in seen} == {(request_id, approver)}


def test_a_stranger_leaves_no_name_of_a_request_in_the_log(site, capfd):
    link = site.mail(site.deploy()[0]).link("accept")
    site.settle()
    site.gate.get(link)
    looks(capfd)
    assert site.gate.get(f"{link[:-4]}AAAA").status_code == 404
    [event] = looks(capfd)
    assert not {"request", "approver"} & event.keys()

"""Pressing the button decides: who, what, when; once and for all."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import urljoin

import pytest
import requests

from tests.conftest import ANA, MAX, MONA, form_of
from tests.forms import buttons, links_of, press, words


@pytest.mark.parametrize(
    ("action", "told", "state"),
    [("accept", "continue", "accepted"), ("decline", "cancel", "declined")],
)
def test_a_press_is_recorded_under_the_name_of_who_pressed_and_told(site, action, told, state):
    [task] = site.deploy()
    link = site.mail(task, MAX).link(action)
    page = press(site.gate, site.gate.get(link), action.capitalize(), comment="a  good\nreason")
    assert page.status_code == 200
    assert "Your decision is recorded" in words(page)
    assert "Max Boss" in words(page)
    site.settle()
    assert site.posts(task) == [told]
    [row] = [row for row in site.gate.tables()["tasks"] if task in row]
    assert row[5:7] == (state, "Max Boss")
    assert row[8] == "a good reason"
    assert f"{state.capitalize()} by Max Boss: a good reason" in site.cloud.events[-1].text


def test_a_comment_of_the_greatest_length_reaches_the_platform_whole(site):
    comment = f"{'x' * 995} end."
    [task] = site.deploy()
    site.gate.press(site.mail(task, MAX).link("decline"), comment)
    site.settle()
    assert f"Declined by Max Boss: {comment}" in site.cloud.events[-1].text


def test_the_audit_trail_tells_the_way_of_a_request(site):
    [task] = site.deploy()
    site.gate.press(site.mail(task).link("accept"))
    site.settle()
    [row] = [row for row in site.gate.tables()["tasks"] if task in row]
    events = site.gate.events(row[1])
    assert events[:3] == ["received", "verified", "asked"]
    assert sorted(events[3:]) == ["accepted", "delivered", "mailed", "mailed", "told", "told"]
    assert events.index("accepted") < events.index("delivered")


def test_a_link_that_was_opened_often_still_works(site):
    link = site.mail(site.deploy()[0]).link("accept")
    assert {site.gate.get(link).status_code for _ in range(20)} == {200}
    assert site.gate.press(link).status_code == 200


@pytest.mark.parametrize("late", ["accept", "decline"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_whoever_comes_late_reads_who_decided_what_and_when(site, late, method):
    [task] = site.deploy()
    early, late_mail = site.mail(task, MONA), site.mail(task, MAX)
    site.gate.press(early.link("decline"), comment="too big")
    site.settle()
    before = site.gate.tables()
    link = late_mail.link(late)
    answer = site.gate.get(link) if method == "GET" else site.gate.press(link)
    assert answer.status_code == 410
    said = words(answer)
    for part in ("Decided already", "Declined", "Mona Manager", "too big", "Abiquo has been told"):
        assert part in said
    assert f'datetime="{datetime.now(UTC):%Y-%m-%dT%H}' in answer.text
    site.settle()
    assert site.gate.tables() == before


def test_a_second_press_of_the_same_person_changes_nothing(site):
    [task] = site.deploy()
    mail = site.mail(task)
    site.gate.press(mail.link("accept"))
    again = site.gate.press(mail.link("decline"))
    assert again.status_code == 410
    assert "Accepted" in words(again)
    site.settle()
    assert site.posts(task) == ["continue"]


@pytest.mark.parametrize("round", range(3))
def test_of_two_who_press_at_once_one_wins_and_the_platform_hears_one(site, round):
    [task] = site.deploy()
    links = {"accept": site.mail(task, MONA).link("accept"),
             "decline": site.mail(task, MAX).link("decline")}  # fmt: skip
    racers = 10
    start = threading.Barrier(racers)

    def race(number):
        action = "accept" if number % 2 else "decline"
        with requests.Session() as session:
            start.wait()
            path, fields = form_of(links[action])
            answer = session.post(path, fields, timeout=10)
        return answer.status_code, action

    with ThreadPoolExecutor(racers) as threads:
        answers = list(threads.map(race, range(racers)))
    winners = [action for status, action in answers if status == 200]
    assert len(winners) == 1
    assert sorted(status for status, _ in answers) == [200] + [410] * (racers - 1)
    site.settle()
    assert site.posts(task) == [{"accept": "continue", "decline": "cancel"}[winners[0]]]


def test_a_comment_is_kept_in_one_line_and_cut_to_a_thousand_signs(site):
    [task] = site.deploy()
    comment = "ä\r\nBcc: x@y.example \u202e<b>" + "x" * 2000
    page = press(site.gate, site.gate.get(site.mail(task).link("accept")), "Accept",
                 comment=comment)  # fmt: skip
    assert page.status_code == 200
    assert "<b>" not in page.text
    [row] = [row for row in site.gate.tables()["tasks"] if task in row]
    assert len(row[8]) == 1000
    assert "\n" not in row[8]
    outcome = site.mails.to(ANA, "fresh-00")
    assert outcome.message["Bcc"] is None


@pytest.mark.parametrize("site_of_form", ["same-origin", "same-site", "none"])
@pytest.mark.parametrize("origin", ["null", None])
def test_forms_of_our_pages_are_taken_though_browsers_hide_where_they_come_from(
    site, site_of_form, origin
):
    link = site.mail(site.deploy()[0]).link("accept")
    headers = {"Origin": origin, "Sec-Fetch-Site": site_of_form}
    assert site.gate.press(link, headers=headers).status_code == 200


@pytest.mark.parametrize("route", ["accept", "decline", "multiple"])
def test_forms_of_other_sites_are_refused(site, route):
    tasks = site.deploy(2)
    mail = site.mail(tasks[0])
    site.settle()
    before = site.gate.tables()
    link = next(url for url in mail.links if f"/{route}?" in url)
    answer = site.gate.press(link, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "another site" in words(answer)
    site.settle()
    assert site.gate.tables() == before


def test_a_link_of_another_site_still_opens(site):
    link = site.mail(site.deploy()[0]).link("accept")
    assert site.gate.get(link, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


# -- several at once


def multiple(mail, action):
    [link] = {url for url in mail.links if f"/multiple?action={action}" in url}
    return link


def test_all_at_once_decides_what_is_pending_and_names_what_is_not(site):
    tasks = site.deploy(3)
    site.gate.press(site.mail(tasks[0], MAX).link("decline", task=tasks[0]), comment="no")
    page = site.gate.get(multiple(site.mail(tasks[0]), "accept"))
    assert "Decided already, not part of this" in words(page)
    result = press(site.gate, page, "Accept all 2")
    assert result.status_code == 200
    said = words(result)
    assert "for 2 machines" in said
    before, after = said.split("Decided before, unchanged by you")
    assert "Accepted" in before
    assert "Declined" not in before
    assert "Declined fresh-00 by Max Boss" in after
    site.settle()
    assert [site.posts(task) for task in tasks] == [["cancel"], ["continue"], ["continue"]]


@pytest.mark.parametrize("word", ["decline", "cancel"])
def test_cancel_is_understood_as_decline(site, word):
    tasks = site.deploy(2)
    link = multiple(site.mail(tasks[0]), "decline").replace("action=decline", f"action={word}")
    page = site.gate.get(link)
    assert buttons(page)[0] == "Decline all 2"
    result = site.gate.press(link)
    assert result.status_code == 200
    assert words(result).startswith("Declined")
    site.settle()
    assert [site.posts(task) for task in tasks] == [["cancel"], ["cancel"]]


@pytest.mark.parametrize("word", ["", "explode", "ACCEPT", "accept,decline"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_action_is_refused(site, word, method):
    tasks = site.deploy(2)
    link = multiple(site.mail(tasks[0]), "accept").replace("action=accept", f"action={word}")
    answer = site.gate.session.request(method, link, timeout=10)
    assert answer.status_code == 400
    assert "accept or decline" in words(answer)
    site.settle()
    assert [site.posts(task) for task in tasks] == [[], []]


def test_some_of_the_tasks_can_be_decided_with_the_link_to_all(site):
    tasks = site.deploy(3)
    link = multiple(site.mail(tasks[0]), "accept")
    fewer = link.replace(",".join(tasks), ",".join(tasks[1:]))
    assert fewer != link
    assert site.gate.press(fewer).status_code == 200
    site.settle()
    assert [site.posts(task) for task in tasks] == [[], ["continue"], ["continue"]]


@pytest.mark.parametrize("foreign", ["unknown", "of another request", ""])
def test_ids_that_do_not_belong_to_the_request_spoil_the_whole_press(site, foreign):
    tasks, [other] = site.deploy(2), site.deploy()
    site.mail(other)
    extra = {"of another request": other, "unknown": "d8113ffd"}.get(foreign, foreign)
    link = multiple(site.mail(tasks[0]), "accept").replace(tasks[1], f"{tasks[1]},{extra}")
    assert site.gate.get(link).status_code == 404
    assert site.gate.press(link).status_code == 404
    site.settle()
    assert [site.posts(task) for task in (*tasks, other)] == [[], [], []]


def test_when_none_is_pending_any_more_the_answer_is_410_for_every_action(site):
    tasks = site.deploy(2)
    mona, max = site.mail(tasks[0], MONA), site.mail(tasks[0], MAX)
    site.gate.press(multiple(mona, "decline"))
    for action in ("accept", "decline"):
        for answer in (
            site.gate.get(multiple(max, action)),
            site.gate.press(multiple(max, action)),
        ):
            assert answer.status_code == 410
            assert "Declined" in words(answer)
            assert "Accepted" not in words(answer)


# -- the page of the whole request


def test_the_review_page_shows_every_task_with_its_state_and_decides_each_or_all(site):
    tasks = site.deploy(4)
    mail = site.mail(tasks[0])
    review = site.gate.get(mail.link("review"))
    assert buttons(review)[:2] == ["Accept all 4", "Decline all 4"]
    assert press(site.gate, review, "Decline fresh-00").status_code == 200
    assert press(site.gate, review, "Accept fresh-01").status_code == 200
    site.settle()
    review = site.gate.get(mail.link("review"))
    assert "1 declined 1 accepted 2 waiting" in words(review)
    assert press(site.gate, review, "Accept all 2", comment="fine").status_code == 200
    site.settle()
    review = site.gate.get(mail.link("review"))
    assert review.status_code == 200
    assert buttons(review) == []
    assert "Everything has been decided" in words(review)
    told = [site.posts(task) for task in tasks]
    assert told == [["cancel"], ["continue"], ["continue"], ["continue"]]


@pytest.mark.parametrize("way", ["its button", "its link"])
def test_from_the_review_page_one_task_is_decided_and_the_way_leads_back(site, way):
    tasks = site.deploy(3)
    mail = site.mail(tasks[0])
    page = site.gate.get(mail.link("review"))
    if way == "its link":
        page = site.gate.get(urljoin(page.url, links_of(page)["With a comment on fresh-01"]))
        assert "This page decides only fresh-01, one of 3 machines" in words(page)
        result = press(site.gate, page, "Decline", comment="too big")
    else:
        result = press(site.gate, page, "Decline fresh-01")
    assert result.status_code == 200
    review = site.gate.get(urljoin(result.url, links_of(result)["See the current state"]))
    assert buttons(review)[:2] == ["Accept all 2", "Decline all 2"]
    site.settle()
    assert [site.posts(task) for task in tasks] == [[], ["cancel"], []]


def test_the_pages_behind_a_link_to_one_task_open_no_other(site):
    tasks = site.deploy(2)
    link = site.mail(tasks[0]).link("accept", task=tasks[0])
    own = form_of(link)[1]["token"]
    pages = [site.gate.get(link), site.gate.press(link), site.gate.get(link)]
    assert [page.status_code for page in pages] == [200, 200, 410]
    for page in pages:
        assert set(re.findall(r"[\w-]+\.[\w-]{43}", page.text)) == {own}
        assert tasks[1] not in page.text
    state = site.gate.get(urljoin(link, links_of(pages[1])["See the current state"]))
    assert (state.status_code, state.url) == (410, link)


def test_a_stale_review_page_cannot_reverse_a_decision(site):
    tasks = site.deploy(2)
    mail = site.mail(tasks[0])
    stale = site.gate.get(mail.link("review"))
    site.gate.press(mail.link("decline", task=tasks[0]))
    assert press(site.gate, stale, "Accept fresh-00").status_code == 410
    assert press(site.gate, stale, "Accept all 2").status_code == 200
    site.settle()
    assert [site.posts(task) for task in tasks] == [["cancel"], ["continue"]]


@pytest.mark.parametrize("route", ["accept", "decline"])
def test_a_post_to_the_url_of_a_mail_without_the_form_of_the_page_is_no_press(site, route):
    [task] = site.deploy()
    assert site.gate.post(site.mail(task).link(route)).status_code == 404
    site.settle()
    assert site.posts(task) == []


def test_the_vote_tells_who_it_was_by_more_than_a_name_that_others_may_have(site):
    [task] = site.deploy()
    site.gate.press(site.mail(task, MAX).link("decline"), comment="no")
    tables = site.gate.tables()
    [decided] = [row for row in tables["tasks"] if row.platform_task_id == task]
    [vote] = [row for row in tables["votes"] if row.task_id == decided.id]
    [voter] = [row for row in tables["approvers"] if row.id == vote.approver_id]
    assert (vote.action, vote.comment, vote.cast_at) == ("decline", "no", decided.decided_at)
    assert (voter.address, voter.request_id) == (MAX, decided.request_id)

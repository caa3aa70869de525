"""With `[links] code = yes` a press needs the code that stands in the mail."""

import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

import pytest

from tests.conftest import MAX, MONA, form_of, served_site
from tests.forms import buttons, links_of, press, words

WRONG = "222222"


@pytest.fixture(scope="module")
def coded(tmp_path_factory, store_kind):
    with served_site(tmp_path_factory.mktemp("coded"), "[links]\ncode = yes") as site:
        yield site


def code_in(mail):
    [code] = re.findall(r"asks for:\s+(\w{3} \w{3})\s*$", mail.text, re.MULTILINE)
    assert f">{code}<" in mail.html
    return code


def typed(site, link, code, comment=""):
    path, fields = form_of(link)
    return site.gate.post(path, fields | {"code": code, "comment": comment})


@pytest.mark.parametrize("spelled", [str, str.lower, lambda c: c.replace(" ", ""), "-{}- ".format])
def test_the_code_of_the_mail_lets_a_press_count_however_it_is_spelled(coded, spelled):
    [task] = coded.deploy()
    mail = coded.mail(task)
    page = coded.gate.get(mail.link("accept"))
    done = press(coded.gate, page, "Accept", code=spelled(code_in(mail)))
    assert (done.status_code, "Your decision is recorded" in words(done)) == (200, True)


def test_no_link_holds_the_code(coded):
    mail = coded.mail(coded.deploy(2)[0])
    code = code_in(mail).replace(" ", "")
    assert all(code not in link for link in mail.links)
    assert all(code not in coded.gate.get(link).text for link in mail.links)


def test_each_person_has_a_code_of_their_own(coded):
    [task] = coded.deploy()
    theirs = code_in(coded.mail(task, MAX))
    assert theirs != code_in(coded.mail(task))
    assert typed(coded, coded.mail(task).link("accept"), theirs).status_code == 422


@pytest.mark.parametrize("route", ["accept", "decline", "multiple"])
def test_a_wrong_code_decides_nothing_and_keeps_what_was_typed(coded, route):
    tasks = coded.deploy(2)
    link = next(url for url in coded.mail(tasks[0]).links if f"/{route}?" in url)
    page = typed(coded, link, WRONG, "the <budget> is spent")
    assert page.status_code == 422
    assert "You have 4 tries left" in words(page)
    assert "the <budget> is spent" in words(page)
    coded.settle()
    assert [coded.posts(task) for task in tasks] == [[], []]


def test_on_the_review_page_all_are_decided_with_the_code(coded):
    tasks = coded.deploy(2)
    mail = coded.mail(tasks[0])
    page = coded.gate.get(mail.link("review"))
    assert buttons(page) == ["Accept all 2", "Decline all 2"]
    assert press(coded.gate, page, "Accept all 2", code=WRONG).status_code == 422
    assert press(coded.gate, page, "Accept all 2", code=code_in(mail)).status_code == 200


def test_from_the_review_page_one_is_decided_with_the_code(coded):
    tasks = coded.deploy(2)
    mail = coded.mail(tasks[0])
    review = coded.gate.get(mail.link("review"))
    page = coded.gate.get(urljoin(review.url, links_of(review)["Accept or decline fresh-01"]))
    assert press(coded.gate, page, "Decline", code=WRONG).status_code == 422
    assert press(coded.gate, page, "Decline", code=code_in(mail)).status_code == 200
    coded.settle()
    assert [coded.posts(task) for task in tasks] == [[], ["cancel"]]


@pytest.mark.parametrize("nonsense", ["", "test", "user@example.org", "000000", "1" * 5000])
def test_what_is_no_code_at_all_decides_nothing_and_locks_nobody_out(coded, nonsense):
    [task] = coded.deploy()
    mail = coded.mail(task)
    for _ in range(7):
        page = typed(coded, mail.link("accept"), nonsense)
        assert (page.status_code, "six letters and digits" in words(page)) == (422, True)
    assert typed(coded, mail.link("accept"), code_in(mail)).status_code == 200


def request_of(mail):
    return form_of(mail.link("review"))[1]["request"]


def test_the_fifth_wrong_code_locks_all_of_the_persons_links_and_the_operator_is_told(coded):
    tasks = coded.deploy(2)
    mail = coded.mail(tasks[0])
    accept = mail.link("accept", task=tasks[0])
    answers = [typed(coded, accept, WRONG) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [422] * 4 + [403]
    assert "one try left" in words(answers[3])
    assert "locked" in words(answers[4])
    for link in mail.links:
        assert coded.gate.get(link).status_code == 403
    assert typed(coded, accept, code_in(mail)).status_code == 403
    events = coded.gate.events(request_of(mail))
    assert (events.count("wrong code"), events.count("links locked")) == (5, 1)
    alert = coded.mails.to("operator@gate.example", "locked")
    assert f"--lift --request {request_of(mail)} --person {MONA}" in " ".join(alert.text.split())
    other = coded.mail(tasks[0], MAX)
    decided = typed(coded, other.link("accept", task=tasks[0]), code_in(other))
    assert decided.status_code == 200


def test_wrong_codes_at_the_same_moment_are_no_more_than_five(coded):
    [task] = coded.deploy()
    mail = coded.mail(task)
    with ThreadPoolExecutor(16) as together:
        tries = together.map(lambda _: typed(coded, mail.link("accept"), WRONG), range(40))
        statuses = sorted(answer.status_code for answer in tries)
    assert statuses == [403] * 36 + [422] * 4
    assert coded.gate.events(request_of(mail)).count("wrong code") == 5
    assert typed(coded, mail.link("accept"), code_in(mail)).status_code == 403


def test_without_the_setting_nobody_hears_of_codes(site):
    [task] = site.deploy()
    mail = site.mail(task)
    pages = [site.gate.get(link) for link in mail.links]
    assert not any("code" in words(page).lower() for page in pages)
    assert not any('name="code"' in page.text for page in pages)
    assert "code" not in (mail.text + mail.html).lower()

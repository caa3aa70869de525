"""What the operator can relax, and what stays strict even then."""

import re

import pytest

from tests.conftest import served_site
from tests.forms import words

STRANGERS = "a-token-that-we-never-signed"


@pytest.fixture(scope="module")
def one_click(tmp_path_factory, store_kind):
    text = "[links]\none_click = yes"
    with served_site(tmp_path_factory.mktemp("one_click"), text) as site:
        yield site


@pytest.fixture(scope="module")
def unsigned(tmp_path_factory, store_kind):
    text = "[links]\nsigned = no"
    with served_site(tmp_path_factory.mktemp("unsigned"), text) as site:
        yield site


def without_token(link):
    return re.sub("&token=[^&]*", "", link)


def test_with_one_click_opening_a_link_decides(one_click):
    [task] = one_click.deploy()
    page = one_click.gate.get(one_click.mail(task).link("decline"))
    assert page.status_code == 200
    assert "Your decision is recorded" in words(page)
    one_click.settle()
    assert one_click.posts(task) == ["cancel"]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_with_one_click_only_opening_decides(one_click, method):
    [task] = one_click.deploy()
    link = one_click.mail(task).link("accept")
    one_click.gate.session.request(method, link, timeout=10)
    one_click.settle()
    assert one_click.posts(task) == []


def test_with_one_click_a_whole_batch_is_decided_by_opening(one_click):
    tasks = one_click.deploy(2)
    link = next(url for url in one_click.mail(tasks[0]).links if "/multiple?action=accept" in url)
    assert one_click.gate.get(link).status_code == 200
    assert one_click.gate.get(link).status_code == 410
    one_click.settle()
    assert [one_click.posts(task) for task in tasks] == [["continue"], ["continue"]]


def test_with_one_click_looking_at_the_review_decides_nothing(one_click):
    [task] = one_click.deploy()
    assert one_click.gate.get(one_click.mail(task).link("review")).status_code == 200
    one_click.settle()
    assert one_click.posts(task) == []


def test_with_one_click_links_are_signed_all_the_same(one_click):
    link = one_click.mail(one_click.deploy()[0]).link("accept")
    assert one_click.gate.get(without_token(link)).status_code == 404


def test_unsigned_links_show_the_page_and_decide_by_its_button(unsigned):
    [task] = unsigned.deploy()
    link = without_token(unsigned.mail(task).link("accept"))
    assert unsigned.gate.get(link).status_code == 200
    unsigned.settle()
    assert unsigned.posts(task) == []
    result = unsigned.gate.press(link)
    assert "somebody with an unsigned link" in words(result)
    unsigned.settle()
    assert unsigned.posts(task) == ["continue"]
    assert unsigned.gate.get(link).status_code == 410


def test_unsigned_links_to_several_tasks_work_too(unsigned):
    tasks = unsigned.deploy(2)
    unsigned.mail(tasks[0])
    link = f"/multiple?action=cancel&tasks={','.join(tasks)}"
    assert unsigned.gate.get(link).status_code == 200
    assert unsigned.gate.press(link).status_code == 200
    unsigned.settle()
    assert [unsigned.posts(task) for task in tasks] == [["cancel"], ["cancel"]]


@pytest.mark.parametrize(
    "query", ["task=unknown", "task=", "", f"task=TASK&token={STRANGERS}", "task=TASK,TASK"]
)
def test_unsigned_does_not_mean_that_anything_goes(unsigned, query):
    [task] = unsigned.deploy()
    unsigned.mail(task)
    assert unsigned.gate.get(f"/accept?{query.replace('TASK', task)}").status_code == 404


def test_signed_links_keep_their_name_where_unsigned_ones_work(unsigned):
    [task] = unsigned.deploy()
    result = unsigned.gate.press(unsigned.mail(task).link("accept"))
    assert "Mona Manager" in words(result)

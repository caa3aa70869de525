"""The parts that the demo is put together from."""

import socket

import pytest
import requests

from approval.demo.browser import Browser, Page
from approval.demo.loopback import HOST, free_port
from approval.demo.sending import Running, running

PAGE = """<form method="post" action="elsewhere"><input type="hidden" name="task" value="7">
<textarea name="comment"></textarea><button formaction="accept">Accept</button></form>"""


def test_a_demo_is_recognised_by_its_cloud(cloud):
    cloud.callback_url = "http://127.0.0.1:1/callback"
    assert running(cloud.port) == Running(cloud.url, cloud.callback_url)


def test_nobody_is_no_demo(mailbox):
    assert running(free_port()) is None
    assert running(int(mailbox.url.rpartition(":")[2])) is None


def test_the_cloud_takes_tasks_from_elsewhere(cloud):
    body = cloud.callback_body(cloud.deploy_machine(59)).replace(b"/59", b"/590")
    answer = requests.post(f"{cloud.url}/adopt", body, timeout=5)
    assert [cloud.task_state(task) for task in answer.json()["tasks"]] == ["QUEUEING"]


def test_the_cloud_says_why_it_takes_nothing(cloud):
    answer = requests.post(f"{cloud.url}/adopt", b"<tasks/>", timeout=5)
    assert (answer.status_code, answer.json()) == (400, {"error": "0 tasks where 1 to 500 belong"})


def test_a_port_in_use_is_not_taken():
    with socket.create_server((HOST, 0)) as busy:
        port = busy.getsockname()[1]
        assert free_port(port) not in (0, port)
    assert free_port(port) == port


def test_a_button_submits_its_form(gate):
    page = Page(f"{gate.server.url}/shown?task=7", 200, PAGE)
    with Browser() as browser:
        answer = browser.press(page, "Accept", comment="why not")
    assert answer.url == f"{gate.server.url}/accept"
    assert gate.received == [("application/x-www-form-urlencoded", b"task=7&comment=why+not")]


def test_only_what_is_on_the_page_can_be_pressed():
    page = Page("http://127.0.0.1:1/", 200, PAGE)
    with Browser() as browser, pytest.raises(LookupError, match="no button 'Decline'"):
        browser.press(page, "Decline")

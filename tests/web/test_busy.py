"""What goes on while the web never rests."""

import threading

import pytest

from approval.engine.courtesy import Courtesy
from tests.conftest import wait_until


@pytest.fixture
def rest(monkeypatch):
    """When it is set the web rests, for whoever waits for that."""
    rest = threading.Event()
    monkeypatch.setattr(Courtesy, "wait", lambda self: rest.wait(20))
    yield rest
    rest.set()


def test_the_platform_hears_of_a_decision_at_once_and_the_requester_when_the_web_rests(
    site, request
):
    [task] = site.deploy()
    link = site.mail(task).link("accept")
    site.settle()
    asked = site.mailbox.count
    rest = request.getfixturevalue("rest")
    assert site.gate.press(link).status_code == 200
    wait_until(lambda: site.posts(task) == ["continue"])
    assert site.mailbox.count == asked
    rest.set()
    wait_until(lambda: site.mailbox.count > asked)
    site.settle()

"""What goes on while the web never rests."""

import threading

import pytest

from approval.engine.courtesy import Courtesy
from approval.store.jobs import Kind
from tests.conftest import wait_until
from tests.fakes import NOW


@pytest.fixture
def busy(site, monkeypatch):
    """A web that does not rest, until it is set free."""
    free = threading.Event()
    monkeypatch.setattr(Courtesy, "wait", lambda self: free.wait(20))
    yield free
    free.set()


class Waits(Exception):
    """Somebody waits for the web."""


def test_everything_but_a_release_waits_for_the_web(site, monkeypatch):
    def wait(self):
        raise Waits

    monkeypatch.setattr(Courtesy, "wait", wait)
    for kind, handler in site.gate.service.jobs.handlers.items():
        # Whoever does not wait misses the job that is not there.
        with pytest.raises(AttributeError if kind is Kind.RELEASE else Waits):
            handler(None, NOW)


def test_the_platform_hears_of_a_decision_at_once_and_the_requester_when_the_web_rests(
    site, request
):
    [task] = site.deploy()
    link = site.mail(task).link("accept")
    site.settle()
    asked = site.mailbox.count
    free = request.getfixturevalue("busy")
    assert site.gate.press(link).status_code == 200
    wait_until(lambda: site.posts(task) == ["continue"])
    assert site.mailbox.count == asked
    free.set()
    wait_until(lambda: site.mailbox.count > asked)
    site.settle()

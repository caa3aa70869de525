"""What can wait lets the web go first."""

import time

from approval.engine import courtesy
from approval.engine.courtesy import Courtesy
from approval.gate import nothing


def noting(times):
    """A handler that notes when it is run."""
    return lambda job, now: times.append(time.monotonic()) or nothing


def ask(app):
    """Send the web a request; returns when it was answered."""
    app({}, None)
    return time.monotonic()


def test_what_can_wait_begins_when_the_web_has_been_quiet_for_a_moment():
    polite, times = Courtesy(), []
    polite.wait()  # one's turn, however busy the web is
    answered = ask(polite.wrap(lambda environ, start: []))
    polite.before(noting(times))(None, None)
    assert times[0] - answered >= courtesy.QUIET - 0.001


def test_what_can_wait_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr(courtesy, "QUIET", 3600.0)
    polite, times = Courtesy(), []
    ask(polite.wrap(lambda environ, start: []))
    polite.before(noting(times))(None, None)
    assert len(times) == 1

"""What can wait lets the web go first."""

import threading
import time

import pytest

from approval.engine import courtesy
from approval.engine.courtesy import Courtesy
from approval.gate import nothing
from tests.fakes import NOW

ONCE = 0.05  # seconds


class Watched(Courtesy):
    """Knows when handlers ran."""

    def __init__(self):
        super().__init__()
        self.times = []

    def run(self):
        """Run a handler that can wait; returns the time that it was told."""
        told = []

        def handler(job, now):
            self.times.append(time.monotonic())
            told.append(now)
            return nothing

        self.before(handler)(None, NOW)
        return told[0]

    def ask_the_web(self):
        """Send the web a request; returns when it was sent."""
        sent = time.monotonic()
        self.wrap(lambda environ, start: [])({}, None)
        return sent


@pytest.fixture
def begun():
    """The time before the first job."""
    return time.monotonic()


@pytest.fixture
def jobs(begun):
    """Of which one has just begun, so that it is nobody's turn."""
    watched = Watched()
    watched.run()
    return watched


@pytest.fixture
def busy(jobs, monkeypatch):
    """The same beside a web that never rests."""
    monkeypatch.setattr(courtesy, "QUIET", 3600.0)
    jobs.ask_the_web()
    return jobs


def test_what_can_wait_begins_when_the_web_has_been_quiet_for_a_moment(jobs, monkeypatch):
    monkeypatch.setattr(courtesy, "TURN", 3600.0)
    sent = jobs.ask_the_web()
    jobs.run()
    assert jobs.times[1] - sent >= courtesy.QUIET


def test_what_can_wait_does_not_wait_for_ever(busy, begun):
    busy.run()
    assert busy.times[1] - begun >= courtesy.TURN


def test_beside_a_web_that_never_rests_jobs_begin_one_by_one(busy, begun):
    threads = [threading.Thread(target=busy.run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _, *others = [at - begun for at in sorted(busy.times)]
    assert len(others) == 3
    assert all(at >= turns * courtesy.TURN for turns, at in enumerate(others, 1))


def test_a_handler_is_told_the_time_at_which_it_begins(jobs, monkeypatch):
    monkeypatch.setattr(jobs, "wait", lambda: time.sleep(ONCE))
    assert (jobs.run() - NOW).total_seconds() >= ONCE

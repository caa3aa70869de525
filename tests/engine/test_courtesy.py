"""What can wait lets the web go first."""

import threading
import time

import pytest

from approval.engine import courtesy
from approval.engine.courtesy import Courtesy
from approval.gate import nothing
from tests.fakes import NOW

A_LITTLE = 0.001  # seconds that clocks may differ by


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
        """Send the web a request; returns when it was answered."""
        self.wrap(lambda environ, start: [])({}, None)
        return time.monotonic()


@pytest.fixture
def jobs():
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


def test_what_can_wait_begins_when_the_web_has_been_quiet_for_a_moment(jobs):
    answered = jobs.ask_the_web()
    jobs.run()
    assert jobs.times[1] - answered >= courtesy.QUIET - A_LITTLE


def test_what_can_wait_does_not_wait_for_ever(busy):
    busy.run()
    assert busy.times[1] - busy.times[0] >= courtesy.TURN - A_LITTLE


def test_beside_a_web_that_never_rests_jobs_begin_one_by_one(busy):
    threads = [threading.Thread(target=busy.run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gaps = [later - sooner for sooner, later in zip(busy.times, busy.times[1:], strict=False)]
    assert len(gaps) == 3
    assert min(gaps) >= courtesy.TURN - A_LITTLE


def test_a_handler_is_told_the_time_at_which_it_begins(busy):
    assert (busy.run() - NOW).total_seconds() >= courtesy.TURN - A_LITTLE

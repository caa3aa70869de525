"""What is measured of work that lay still: while nobody did it, or because its process died."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from signal import Signals

from approval.demo.cloud import Cloud, Fault
from approval.demo.mailbox import Mailbox
from bench import parts, stores
from bench.bodies import body, task_id
from bench.load import Connection, hammer
from bench.people import FORM, MANAGERS, accept_links, adopted, expect, form, wait_for
from bench.scenarios import LATENCY, site_of
from bench.setups import Setup

WAITING = 300
TAKEN = 4  # jobs of the process that dies; it has threads for all of them


@dataclass(frozen=True)
class Drained:
    """Requests a second, from the moment when all gates serve again."""

    mailed: float
    told: float


def backlog(setup: Setup) -> Drained:
    """Requests that came, and then decisions that were made, while nobody did the work."""
    with (
        Mailbox() as mailbox,
        parts.platform(WAITING, LATENCY) as api,
        site_of(setup, api, mailbox.smtp_port) as site,
    ):
        with site.unattended() as web:
            for number in range(WAITING):
                expect(202, web.post("/callback", data=body(number)).status_code)
        mailed = drained(site, lambda: mailbox.count // MANAGERS, WAITING)
        with site.unattended() as web:
            for task, token in accept_links(mailbox):
                fields = {"task": task, "token": token, "comment": ""}
                expect(200, web.post("/accept", data=fields).status_code)
        query = "SELECT count(*) FROM tasks WHERE delivery = 'delivered'"
        return Drained(mailed, drained(site, lambda: stores.value(site.store, query), WAITING))


def drained(site: parts.Site, done: Callable[[], int], waiting: int) -> float:
    """How many a second are done, of so many that wait for the site to begin."""
    with site.served():
        started, before = time.perf_counter(), done()  # the first gate began as the others started
        wait_for(done, waiting)
        return (waiting - before) / (time.perf_counter() - started)


def takeover(setup: Setup) -> float:
    """Seconds from the death of the process that tells the platform until another has told it."""
    with (
        Cloud() as cloud,
        Mailbox() as mailbox,
        site_of(setup, cloud.api_location, mailbox.smtp_port) as site,
        site.served(0) as [dying],
    ):
        hammer([dying.port], adopted(cloud, TAKEN), clients=1)
        wait_for(lambda: mailbox.count, MANAGERS * TAKEN)
        cloud.faults.plan(Fault(method="POST", drop=True, delay=600, times=TAKEN))
        line = Connection(dying.port)
        for task, token in accept_links(mailbox):
            expect(200, line.post("/accept", form(task, token), FORM))
        wait_for(lambda: -len(cloud.faults.planned), 0)
        with site.served(1):  # only now, so that it is not this one that has the jobs
            dying.signal(Signals.SIGKILL)
            started = time.perf_counter()
            wait_for(lambda: _told(cloud), TAKEN)
            return time.perf_counter() - started


def _told(cloud: Cloud) -> int:
    return sum(cloud.task_state(task_id(n)) != "QUEUEING" for n in range(TAKEN))

"""An engine in a process of its own: python -m … STORE ADDRESS QUEUE SAID [hang].

It writes a line into SAID for each job that it begins, and with `hang` never ends it.
"""

import sys
import threading
from contextlib import closing
from pathlib import Path

from prometheus_client import Counter

from approval.clock import utc_now
from approval.engine.jobs import Jobs
from approval.engine.temporal.settings import Temporal
from approval.engine.temporal.worker import TemporalEngine
from approval.gate import nothing
from approval.store.database import Database
from approval.store.jobs import Kind
from tests.gate.faked import GIVE_UP_AFTER


def main(store: str, address: str, queue: str, said: str, *hang: str) -> None:
    def handle(job, now):
        with Path(said).open("a") as lines:
            lines.write(f"{job.subject}\n")
        if hang:
            threading.Event().wait()
        return nothing

    with closing(Database(store, hands_over=True)) as database:
        counter = Counter("jobs", "Jobs run.", ["kind", "end"], registry=None)
        jobs = Jobs(database, dict.fromkeys(Kind, handle), GIVE_UP_AFTER, utc_now, counter)
        section = Temporal(address=address, task_queue=queue)
        engine = TemporalEngine(section, jobs, database, "fake", 2, utc_now)
        engine.start()
        sys.stdin.read()  # until whoever started it is gone
        engine.stop(10)


if __name__ == "__main__":
    main(*sys.argv[1:])

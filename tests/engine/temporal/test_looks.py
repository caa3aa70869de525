"""How many look into the store at once, for which the connections are counted."""

import threading

from approval.engine.temporal.activities import Activities
from approval.engine.temporal.settings import LOOKS
from tests.conftest import wait_until
from tests.engine.conftest import PATIENCE, engines_at


def test_as_many_look_at_once_as_there_are_connections_for_and_no_more(temporal, gate, monkeypatch):
    looking, most = set(), []
    together, report = threading.Barrier(LOOKS), Activities.report

    def look(*values):
        looking.add(threading.current_thread())
        most.append(len(looking))
        if len(most) <= LOOKS:
            together.wait(PATIENCE)
        try:
            return report(*values)
        finally:
            looking.remove(threading.current_thread())

    monkeypatch.setattr(Activities, "report", look)
    engine = engines_at(temporal, gate)()
    ids = [str(number) for number in range(2 * LOOKS)]
    for id in ids:
        gate.receive(id)  # each leaves a wake, and they are handed over side by side
    gate.database.wake = engine.wake
    engine.start()
    wait_until(lambda: len(gate.mails.recipients) == 2 * len(ids), 3 * PATIENCE)
    assert engine.stop(PATIENCE)
    assert not together.broken
    assert max(most) == LOOKS

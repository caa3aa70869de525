"""Whatever befalls the lists that a round reads: nothing ends, and what was lost is found later."""

from datetime import timedelta

import pytest

from approval.model import TaskState
from approval.store import tasks
from tests.fakes import NOW
from tests.faults import ways
from tests.faults.troubles import MOVED, SILENT, flooded, flooded_head, moved, name
from tests.faults.ways import MAX, MONA

LISTS = {"enterprises": r"GET .*/admin/enterprises\?", "tasks": r"GET .*/pendingtasks\?"}
OLD = timedelta(minutes=1)  # of a task whose callback cannot be on its way any more

lists = pytest.mark.parametrize("which", LISTS)


@pytest.fixture(scope="module")
def outside():
    """A platform that holds nothing but what a test has it hold."""
    with ways.outside() as outside:
        outside.cloud.world.clock = (NOW - OLD).timestamp
        yield outside


@lists
@pytest.mark.parametrize("trouble", [flooded, flooded_head], ids=name)
def test_a_list_without_end_delays_and_nothing_else(way, which, trouble):
    delayed(way, which, trouble)
    # Each of them is given up after 8 MB; a round asks three before it gives up.
    assert 0 < sum(way.outside.line.flood) < 100


@lists
@pytest.mark.parametrize("trouble", SILENT, ids=name)
def test_a_list_that_is_slow_delays_and_nothing_else(hasty_calls, which, trouble):
    delayed(hasty_calls, which, trouble)
    assert hasty_calls.outside.line.heard_out == []


@lists
@pytest.mark.parametrize("code", MOVED)
def test_a_round_follows_to_no_other_host(way, which, code):
    delayed(way, which, moved(code))
    assert way.outside.elsewhere.heard == []


def delayed(way, which, trouble):
    """Of two tasks one waits for people, of the other no callback came; the list is spoiled."""
    cloud, gate = way.outside.cloud, way.gate
    way.ask()
    events, lost = way.events, ways.deploy(cloud)
    gate.jobs.begin_rounds()
    way.spoil(LISTS[which], trouble)
    way.endure()
    assert [error for error in way.seen if "GET" in error]
    assert (way.decided.state, way.events, way.posts) == (TaskState.PENDING, events, [])
    assert not known(way, lost)
    way.outside.line.mend()
    gate.pass_time(minutes=10)
    assert known(way, lost)
    assert sorted(way.mailed) == [MAX, MAX, MONA, MONA]
    assert (way.decided.state, way.events, way.posts) == (TaskState.PENDING, events, [])
    for task in (way.task, lost):
        assert cloud.task_state(task) == "QUEUEING"
        cloud.decide(task, "cancel")


def known(way, task):
    """Whether the gate has a task."""
    with way.gate.database.read() as session:
        return tasks.find(session, way.gate.platform.name, task) is not None

"""Reconciling: lost callbacks are found, what ended on the platform ends here, nothing else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count

import pytest

from approval.gate import looks, reconcile
from approval.gate.vote import NotAsked
from approval.model import Action, PlatformState, TaskState
from approval.platforms import PlatformError
from approval.store import jobs
from approval.store.jobs import Kind
from tests.fakes import ANA, BEA, MAX, NOW, forbidden, make_held, text_of, unreachable

LONG_AGO = NOW - timedelta(hours=1)


def hold(gate, *ids, **changes):
    """The platform holds tasks for an hour, and their callback was lost."""
    gate.platform.hold(*(make_held(id, **({"held_since": LONG_AGO} | changes)) for id in ids))


def end(gate, id, state):
    """Somebody decides on the platform."""
    gate.platform.states[id] = state


# What the platform holds and nobody announced.


def test_a_task_whose_callback_was_lost_is_taken_in_and_asked_about(gate):
    hold(gate, "1")
    assert gate.round() == ["took in task 1, of which no callback had come"]
    gate.work()
    assert gate.mails.recipients == [BEA.address, MAX.address]
    request_id = gate.open(None, "1").request.id
    assert gate.kinds(request_id)[:2] == ["received", "verified"]


def test_its_first_event_says_how_it_was_found(gate):
    hold(gate, "1", "2")
    gate.round()
    with gate.database.read() as session:
        texts = session.connection.exec_driver_sql("SELECT text FROM events").scalars().all()
    [text] = texts
    assert text.startswith(
        '2 tasks from Fake Cloud, found by reconciling: "1", "2", payload sha256 '
    )


def test_its_decision_reaches_the_platform(gate):
    hold(gate, "1")
    gate.round()
    gate.work()
    gate.press(BEA, Action.ACCEPT, "1")
    gate.work()
    assert gate.platform.told == [("1", Action.ACCEPT)]


def test_a_second_round_takes_nothing_in_again(gate):
    hold(gate, "1")
    gate.round()
    assert gate.round() == []
    gate.work()
    assert len(gate.mails.sent) == 2


def test_the_callback_may_still_come_late(gate):
    hold(gate, "1")
    gate.round()
    assert gate.callback("1").new is False
    gate.work()
    assert len(gate.mails.sent) == 2


@pytest.mark.parametrize("seconds", [-20, 0, 1, 29])
def test_a_task_whose_callback_may_be_on_its_way_is_left_for_the_next_round(gate, seconds):
    hold(gate, "1", held_since=NOW - timedelta(seconds=seconds))
    assert gate.round() == []
    gate.clock.now += timedelta(minutes=1)
    assert len(gate.round()) == 1


@pytest.mark.parametrize("since", [None, NOW + timedelta(hours=2)])
def test_a_task_of_unknown_age_does_not_wait(gate, since):
    hold(gate, "1", held_since=since)
    assert len(gate.round()) == 1


def test_tasks_of_one_requester_are_one_request_and_of_two_are_two(gate):
    hold(gate, "1", "2")
    hold(gate, "3", requester=MAX.key)
    gate.round()
    one, same, other = (gate.open(None, id).request.id for id in "123")
    assert one == same != other


def test_a_request_names_no_more_tasks_than_a_callback_can(gate, monkeypatch):
    monkeypatch.setattr(reconcile, "ASKED_TOGETHER", 2)
    hold(gate, *"12345")
    gate.round()
    assert len({gate.open(None, id).request.id for id in "12345"}) == 3


def test_a_flood_is_taken_in_over_several_rounds(gate, monkeypatch):
    monkeypatch.setattr(reconcile, "TAKEN_IN", 3)
    monkeypatch.setattr(reconcile, "PAGE", 2)
    hold(gate, *"1234567")
    assert [len(gate.round()) for _ in range(4)] == [3, 3, 1, 0]


def test_a_task_that_the_list_invents_mails_nobody(gate):
    gate.platform.invented = [make_held("9", held_since=LONG_AGO)]
    gate.round()
    gate.pass_time(minutes=3)
    assert gate.mails.sent == []
    assert gate.task("9").state is TaskState.WITHDRAWN


def test_rounds_that_fail_have_waited_since_the_first_however_often_they_are_begun(gate):
    gate.platform.broken["held"] = unreachable()
    for _ in range(4):
        gate.jobs.begin_rounds()
        gate.pass_time(minutes=5)
    with gate.database.read() as session:
        [rounds] = [one for one in jobs.backlog(session) if one.kind == Kind.RECONCILE]
    assert rounds.oldest == NOW
    gate.platform.broken.clear()
    gate.pass_time(minutes=5)
    with gate.database.read() as session:
        [rounds] = [one for one in jobs.backlog(session) if one.kind == Kind.RECONCILE]
    assert rounds.oldest > gate.clock.now - timedelta(minutes=5)


# What waits here and the platform does not hold.


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        (PlatformState.CONTINUED, "it was continued on the platform", "Accepted in Fake Cloud"),
        (PlatformState.CANCELLED, "it was cancelled on the platform", "Declined in Fake Cloud"),
        (PlatformState.GONE, "the platform does not know it", "Withdrawn"),
    ],
)
def test_what_ended_on_the_platform_is_withdrawn_and_told_once(gate, state, reason, words):
    request_id = gate.ask("1")
    end(gate, "1", state)
    gate.mails.sent.clear()
    assert gate.round() == [f"withdrew task 1: {reason}"]
    assert gate.round() == []
    gate.work()
    task = gate.task("1")
    assert (task.state, task.decision.reason) == (TaskState.WITHDRAWN, reason)
    assert sorted(gate.mails.recipients) == sorted(who.address for who in (ANA, BEA, MAX))
    assert all(text_of(mail).startswith(f"{words}: deploy") for mail in gate.mails.sent)
    assert gate.kinds(request_id).count("withdrawn") == 1
    assert gate.request(request_id).closed_at is not None


def test_who_does_not_want_requesters_told_tells_only_approvers(make_gate):
    gate = make_gate(notify_requester=False)
    gate.ask("1")
    end(gate, "1", PlatformState.CANCELLED)
    gate.mails.sent.clear()
    gate.round()
    gate.work()
    assert sorted(gate.mails.recipients) == sorted([BEA.address, MAX.address])


def test_what_is_withdrawn_cannot_be_decided(gate):
    gate.ask("1")
    opened = gate.open(BEA, "1")
    end(gate, "1", PlatformState.CANCELLED)
    gate.round()
    assert gate.count(opened, Action.ACCEPT).decided == ()
    gate.work()
    assert gate.platform.told == []


def test_of_a_batch_only_what_ended_is_withdrawn(gate):
    request_id = gate.ask(*"123")
    end(gate, "2", PlatformState.CONTINUED)
    gate.round()
    states = [task.state for task in gate.request(request_id).tasks]
    assert states == [TaskState.PENDING, TaskState.WITHDRAWN, TaskState.PENDING]
    assert gate.request(request_id).closed_at is None


def test_tasks_that_are_listed_are_not_looked_at(gate):
    gate.ask(*"123")
    gate.platform.calls.clear()
    gate.round()
    assert not [call for call in gate.platform.calls if call.startswith("look")]


def test_absence_from_a_list_alone_ends_nothing(gate):
    gate.ask(*"12")
    gate.platform.unlisted = {"1", "2"}
    assert gate.round() == []
    assert gate.task("1").state is gate.task("2").state is TaskState.PENDING


def test_a_list_that_breaks_off_ends_nothing_and_fails_the_round(gate):
    gate.ask("1")
    hold(gate, "2")
    gate.platform.unlisted = {"1"}
    gate.platform.errors["end of list"] = [unreachable()]
    with pytest.raises(PlatformError):
        gate.round()
    assert gate.task("1").state is TaskState.PENDING
    assert gate.task("2").state is TaskState.PENDING  # and what was read is taken in


def test_a_list_that_still_names_what_ended_hides_it_only_as_long(gate):
    gate.ask("1")
    end(gate, "1", PlatformState.CANCELLED)
    gate.platform.invented = [gate.platform.tasks["1"]]
    assert gate.round() == []
    gate.platform.invented = []
    assert len(gate.round()) == 1


@pytest.mark.parametrize("verb", ["held", "look"])
@pytest.mark.parametrize("failure", [unreachable, forbidden])
def test_nothing_ends_while_the_platform_cannot_be_asked(gate, verb, failure):
    gate.ask(*"12345")
    gate.platform.unlisted = set("12345")
    gate.platform.broken[verb] = failure()
    with pytest.raises(PlatformError):
        gate.round()
    assert all(gate.task(id).state is TaskState.PENDING for id in "12345")


def test_a_platform_that_is_down_is_not_asked_in_turn(gate):
    for number in range(10):
        gate.ask(str(number))
    gate.platform.broken |= {"held": unreachable(), "look": unreachable()}
    gate.platform.calls.clear()
    with pytest.raises(PlatformError):
        gate.round()
    assert len(gate.platform.calls) == looks.FAILURES


def test_one_task_that_cannot_be_told_does_not_hide_the_others(gate):
    for id in "123":
        gate.ask(id)
        end(gate, id, PlatformState.CANCELLED)
    gate.platform.errors["look"] = [forbidden()]
    with pytest.raises(PlatformError, match="401"):
        gate.round()
    assert [gate.task(id).state for id in "123"].count(TaskState.WITHDRAWN) == 2
    assert len(gate.round()) == 1


def test_where_there_is_no_list_each_pending_task_is_looked_at(gate):
    gate.platform.lists = False
    gate.ask("1")
    gate.ask("2")
    end(gate, "2", PlatformState.CONTINUED)
    done = gate.round()
    assert done == [
        "Fake Cloud does not list what it holds",
        "withdrew task 2: it was continued on the platform",
    ]
    assert gate.task("1").state is TaskState.PENDING


def test_many_tasks_are_looked_at_over_several_rounds(gate, monkeypatch):
    monkeypatch.setattr(looks, "LOOKS", 2)
    monkeypatch.setattr(reconcile, "PAGE", 3)
    ids = [str(number) for number in range(7)]
    for id in ids:
        gate.ask(id)
        gate.clock.now += timedelta(seconds=1)
        end(gate, id, PlatformState.CANCELLED)
    assert [len(gate.round()) for _ in range(5)] == [2, 2, 2, 1, 0]


def test_each_gets_its_turn_though_the_first_ones_stay(gate, monkeypatch):
    monkeypatch.setattr(looks, "LOOKS", 2)
    monkeypatch.setattr(reconcile, "PAGE", 2)
    for number in range(5):
        gate.ask(str(number))
        gate.clock.now += timedelta(seconds=1)
    gate.platform.unlisted = set(gate.platform.tasks)
    gate.platform.calls.clear()
    for _ in range(5):
        gate.round()
    looked_at = [call for call in gate.platform.calls if call.startswith("look")]
    assert sorted(looked_at) == sorted(f"look {number}" for number in range(5) for _ in "ab")


def test_a_round_ends_when_it_has_taken_too_long(gate):
    for id in "123":
        gate.ask(id)
        end(gate, id, PlatformState.CANCELLED)

    def slowly(verb):
        gate.clock.now += looks.LONGEST

    gate.platform.on_call = slowly
    assert [len(gate.round()) for _ in range(4)] == [1, 1, 1, 0]


def test_a_list_without_end_is_read_only_so_far(gate, monkeypatch):
    monkeypatch.setattr(reconcile, "LISTED", 6)
    monkeypatch.setattr(reconcile, "PAGE", 3)
    endless = (make_held(f"n{number}", held_since=LONG_AGO) for number in count())
    gate.platform.invented = endless
    assert len(gate.round()) == 6


def test_a_request_that_was_never_considered_stays_with_its_job(gate):
    gate.receive("1")
    end(gate, "1", PlatformState.CANCELLED)
    assert gate.round() == []
    gate.work()
    assert gate.task("1").state is TaskState.WITHDRAWN
    assert gate.mails.sent == []


def test_requests_of_another_platform_are_left_alone(gate):
    gate.ask("1")
    end(gate, "1", PlatformState.CANCELLED)
    gate.platform.name = "other"
    assert gate.round() == []


def test_two_rounds_at_once_do_nothing_twice(gate):
    gate.ask("1", "2")
    gate.ask("3")
    for id in "123":
        end(gate, id, PlatformState.CANCELLED)
    hold(gate, *"456789")
    gate.mails.sent.clear()
    with ThreadPoolExecutor(6) as pool:
        said = [[] for _ in range(6)]
        list(pool.map(lambda mine: gate.reconciler().round(mine.append), said))
    lines = [line for mine in said for line in mine]
    assert len(lines) == len(set(lines)) == 9
    gate.work()
    assert len(gate.mails.to(ANA)) == 2  # for two requests that ended
    assert len(gate.mails.to(BEA)) == 2 + 1  # and one that came


def test_a_vote_and_a_round_at_once_settle_a_task_once(gate):
    gate.ask("1")
    opened = gate.open(BEA, "1")
    end(gate, "1", PlatformState.CANCELLED)
    gate.platform.on_call = lambda verb: (
        gate.count(opened, Action.ACCEPT) if verb == "look" else None
    )
    assert gate.round() == []
    gate.platform.on_call = lambda verb: None
    assert gate.task("1").state is TaskState.ACCEPTED
    gate.work()
    assert gate.task("1").delivery_note == "it was cancelled there before"


def test_the_job_reconciles(gate):
    hold(gate, "1")
    gate.jobs.begin_rounds()
    gate.work()
    assert len(gate.mails.sent) == 2
    with pytest.raises(NotAsked):
        gate.open(None, "2")

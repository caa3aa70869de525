"""The gate against a model of it: whatever happens in whatever order, the promise holds.

`make model` runs it for long.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from approval.mail import MailError
from approval.model import Action, Delivery, PlatformState, TaskState
from approval.store.jobs import Kind
from tests.fakes import ANA, NOW, forbidden, make_held, refused, unreachable
from tests.model.world import APPROVERS, World, ids_of, opens, query_of

IDS = [str(number) for number in range(1, 7)]
STATES = {Action.ACCEPT: TaskState.ACCEPTED, Action.DECLINE: TaskState.DECLINED}
EFFECTS = {
    TaskState.ACCEPTED: PlatformState.CONTINUED,
    TaskState.DECLINED: PlatformState.CANCELLED,
}
ENDS = [PlatformState.CONTINUED, PlatformState.CANCELLED, PlatformState.GONE]
NAMES = {person.address: person.name for person in APPROVERS}
VALID = timedelta(days=7)
ALWAYS = st.integers(0, 10**6)  # picks one of whatever there is
OUTAGES = {"unreachable": unreachable, "forbidden": forbidden, "refused": refused}


@dataclass
class Known:
    """What the model knows of a task."""

    request_id: str
    state: TaskState = TaskState.PENDING
    by: str | None = None
    theirs: PlatformState | None = None  # how it was ended there behind our back


@dataclass
class Press:
    """A press that decided something."""

    number: int
    request_id: str
    by: str
    tasks: list[str] = field(default_factory=list)


class GateModel(RuleBasedStateMachine):
    executor = None

    def __init__(self):
        super().__init__()
        self.world = World(self.executor)
        self.known: dict[str, Known] = {}
        self.presses: list[Press] = []
        self.repeatable: set[str] = set()  # kinds of mails that may have gone out twice
        self.trail: list[tuple[object, ...]] = []

    def teardown(self):
        try:
            self.come_to_rest()
        finally:
            self.world.close()

    # What the platform does.

    @initialize(ids=st.lists(st.sampled_from(IDS), min_size=1, max_size=4, unique=True))
    def begins(self, ids):
        """Most of what is worth trying needs somebody who was asked."""
        self.calls_back(ids)
        self.world.work()

    @rule(ids=st.lists(st.sampled_from(IDS), min_size=1, max_size=3, unique=True))
    def calls_back(self, ids):
        fresh = [id for id in ids if id not in self.known]
        self.world.platform.hold(
            *(make_held(id) for id in fresh if id not in self.world.platform.tasks)
        )
        answer = self.world.client.post("/callback", data=" ".join(ids).encode())
        assert answer.status_code == (202 if fresh else 200)
        request_id = answer.json["request"]
        assert answer.json["tasks"] == (fresh or ids)
        if not fresh:
            assert request_id == self.known[ids[0]].request_id
        self.known |= {id: Known(request_id) for id in fresh}

    @rule(id=st.sampled_from(IDS), end=st.sampled_from(ENDS))
    def is_decided_there(self, id, end):
        if self.world.platform.states.get(id) is PlatformState.HELD:
            self.world.platform.states[id] = end
            if id in self.known:
                self.known[id].theirs = end

    @rule(
        verb=st.sampled_from(["look", "describe", "approvers", "release", "answer"]),
        outage=st.sampled_from(sorted(OUTAGES)),
        times=st.integers(1, 3),
    )
    def fails(self, verb, outage, times):
        if verb == "describe" or (verb == "answer" and outage == "refused"):
            outage = "unreachable"
        if verb != "describe":  # which never raises
            self.world.platform.errors[verb] = [OUTAGES[outage]() for _ in range(times)]
        else:
            self.world.platform.transient = not self.world.platform.transient

    @rule(verb=st.sampled_from(["look", "approvers", "release"]))
    def goes_down(self, verb):
        self.world.platform.broken[verb] = unreachable()

    # What the mail server does.

    @rule(permanent=st.booleans(), times=st.integers(1, 2))
    def refuses_mails(self, permanent, times):
        self.world.post.errors = [MailError("no", permanent=permanent) for _ in range(times)]

    @rule(person=st.sampled_from(APPROVERS))
    def refuses_a_person(self, person):
        self.world.post.refused ^= {person.address}

    @rule()
    def mail_goes_down(self):
        self.world.post.broken = MailError("down")

    @rule(times=st.integers(1, 2))
    def takes_mails_and_says_nothing(self, times):
        self.world.post.mute = times
        self.repeatable |= set(Kind)

    @rule()
    def all_is_well(self):
        self.world.mend()

    # What people do.

    @precondition(lambda self: self.world.post.links)
    @rule(number=ALWAYS, method=st.sampled_from(["get", "head", "options"]))
    def opens(self, number, method):
        _, url = self._pick(number)
        before = self.world.tables()
        answer = getattr(self.world.client, method)(url)
        assert answer.status_code in (200, 410)
        assert self.world.tables() == before

    @precondition(lambda self: self.world.post.links)
    @rule(number=ALWAYS, action=st.sampled_from(Action), comment=st.sampled_from(["", "<b>no</b>"]))
    def presses_a_button(self, number, action, comment):
        self._press(number, action, comment)

    @precondition(lambda self: self.world.post.links)
    @rule(number=ALWAYS, action=st.sampled_from(Action))
    def presses_while_the_gate_waits(self, number, action):
        self.world.interruption = lambda: self._press(number, action)

    @precondition(lambda self: self.known)
    @rule(number=ALWAYS, end=st.sampled_from(ENDS))
    def is_decided_there_while_the_gate_waits(self, number, end):
        id = sorted(self.known)[number % len(self.known)]
        self.world.interruption = lambda: self.is_decided_there(id, end)

    @precondition(lambda self: self.world.post.links)
    @rule(one=ALWAYS, other=ALWAYS, action=st.sampled_from(Action))
    def crosses_links(self, one, other, action):
        """The token of one link with what another one names: of the same kind, or any."""
        address, url = self._pick(one)
        path, fields = query_of(url)
        alike = [link for to, link in self.world.post.links if to == address and path in link]
        token = query_of(alike[other % len(alike)])[1]["token"]
        if opens(token) == opens(fields["token"]):  # perhaps a fresh link to the same
            token = query_of(self._pick(other)[1])[1]["token"]
        if opens(token) == opens(fields["token"]):
            token = token[:9] + ("A" if token[9] != "A" else "B") + token[10:]
        self._is_refused(path, fields | {"token": token}, action)

    @precondition(lambda self: self.world.post.links and len(self.known) > 1)
    @rule(number=ALWAYS, task=ALWAYS, action=st.sampled_from(Action))
    def changes_the_task_of_a_link(self, number, task, action):
        path, fields = query_of(self._pick(number)[1])
        id = sorted(self.known)[task % len(self.known)]
        if path == "/multiple":
            named = ids_of(fields)
            if self.known[id].request_id == self.known[named[0]].request_id:
                return  # a link to all of them
            self._is_refused(path, fields | {"tasks": f"{fields['tasks']},{id}"}, action)
        elif "task" in fields and fields["task"] != id:
            self._is_refused(path, fields | {"task": id}, action)

    # What befalls the gate itself.

    @rule()
    def restarts(self):
        self.world.restart()

    @rule(kind=st.sampled_from(Kind))
    def loses_power_after(self, kind):
        self.world.cut = kind
        self.repeatable |= {kind}

    @rule()
    def works(self):
        self.world.work()

    @rule(minutes=st.sampled_from([1, 3, 30, 90]))
    def passes_time(self, minutes):
        self.world.pass_time(minutes=minutes)

    @rule()
    def passes_days(self):
        self.world.clock.now += timedelta(days=3)

    @rule()
    def is_redelivered(self):
        self.world.gate.redeliver()

    # What holds at all times.

    @invariant()
    def tasks_stand_as_they_must(self):
        rows = self.world.rows()
        assert rows.keys() == self.known.keys()
        for id, row in rows.items():
            task = self.known[id]
            if row.state is TaskState.WITHDRAWN and task.state is TaskState.PENDING:
                assert task.theirs is not None
                task.state, task.by = row.state, row.decided_by
            assert (row.request_id, row.state) == (task.request_id, task.state)
            assert row.decided_by == task.by
            assert (row.delivery is not None) is (row.state in EFFECTS)

    @invariant()
    def the_platform_hears_what_was_decided(self):
        for post in self.world.platform.posts:
            assert STATES[post.action] is self.known[post.task.id].state
        for id, task in self.known.items():
            state = self.world.platform.states[id]
            if task.theirs is not None:
                assert state is task.theirs
            elif state is not PlatformState.HELD:
                assert state is EFFECTS[task.state]

    @invariant()
    def the_platform_is_not_told_again_what_it_has_heard(self):
        assert self.world.superfluous == []

    @invariant()
    def deliveries_tell_the_truth(self):
        for id, row in self.world.rows().items():
            state = self.world.platform.states[id]
            if row.delivery is Delivery.DELIVERED:
                assert state is EFFECTS[row.state]
            if row.delivery is Delivery.OVERTAKEN:
                assert state is EFFECTS[TaskState.ACCEPTED if row.state is TaskState.DECLINED
                                        else TaskState.DECLINED]  # fmt: skip

    @invariant()
    def no_mail_is_sent_twice_without_need(self):
        ids = [mail.id for mail in self.world.sent if mail.kind not in self.repeatable]
        assert len(ids) == len(set(ids))
        to = {(mail.id, mail.to) for mail in self.world.sent}
        assert len(to) == len({mail.id for mail in self.world.sent})

    @invariant()
    def the_trail_only_grows(self):
        trail = [(e.id, e.kind, e.text, e.at) for e in self.world.events()]
        assert trail[: len(self.trail)] == self.trail
        self.trail = trail

    # And in the end.

    def come_to_rest(self):
        """The outside works, the operator takes up what was set aside, and time passes."""
        self.world.mend()
        for _ in range(2):
            self.world.pass_time(hours=5)
            self.world.gate.redeliver()
        self.world.pass_time(hours=5)
        for check in (
            self.tasks_stand_as_they_must,
            self.the_platform_hears_what_was_decided,
            self.deliveries_tell_the_truth,
            self.no_mail_is_sent_twice_without_need,
        ):
            check()
        self._everything_was_delivered()
        self._everybody_was_asked()
        self._everybody_was_told()

    def _everything_was_delivered(self):
        for id, row in self.world.rows().items():
            state = self.world.platform.states[id]
            if row.state in EFFECTS:
                assert (row.delivery is Delivery.REFUSED) is (state is PlatformState.GONE)
                assert row.delivery in (Delivery.DELIVERED, Delivery.OVERTAKEN, Delivery.REFUSED)
        assert {job.kind for job in self.world.jobs()} <= {Kind.RELEASE}

    def _everybody_was_asked(self):
        for id, task in self.known.items():
            if task.state is TaskState.PENDING:
                assert self._mails(Kind.ASK, task.request_id).keys() == NAMES.keys(), id

    def _everybody_was_told(self):
        for press in self.presses:
            outcomes = self._mails(Kind.OUTCOME, press.request_id)
            assert max(outcomes[ANA.address]) >= press.number
            asked = self._mails(Kind.ASK, press.request_id)
            notes = self._mails(Kind.NOTE, press.request_id)
            for address, before in asked.items():
                if NAMES[address] != press.by and min(before) < press.number:
                    assert max(notes[address]) >= press.number

    def _mails(self, kind, request_id):
        """When the mails of a kind were sent, counted in presses, by address."""
        found: dict[str, list[int]] = {}
        for mail in self.world.sent:
            if (mail.kind, mail.request_id) == (kind, request_id):
                found.setdefault(mail.to, []).append(mail.presses)
        return found

    # How it is done.

    def _pick(self, number):
        """An address and a link that was mailed there."""
        links = self.world.post.links
        return links[number % len(links)]

    def _press(self, number, action, comment=""):
        address, url = self._pick(number)
        path, fields = query_of(url)
        if path == "/review":
            return  # there is nothing to press
        path, fields = _as(action, path, fields)
        rows = self.world.rows()
        named = [self.known[id] for id in ids_of(fields)]
        pending = [self.known[id] for id in ids_of(fields)
                   if rows[id].state is TaskState.PENDING]  # fmt: skip
        answer = self.world.client.post(path, data=fields | {"comment": comment})
        if answer.status_code == 200:
            assert pending
            self.world.presses += 1
            by = NAMES[address]
            self.presses.append(Press(self.world.presses, named[0].request_id, by))
            for task in pending:
                task.state, task.by = STATES[action], by
        else:
            assert answer.status_code == 410
            assert not pending or self.world.clock() - NOW >= VALID

    def _is_refused(self, path, fields, action):
        if path == "/review":
            return
        path, fields = _as(action, path, fields)
        before = self.world.tables()
        assert self.world.client.get(path, query_string=fields).status_code == 404
        assert self.world.client.post(path, data=fields).status_code == 404
        assert self.world.tables() == before


def _as(action, path, fields):
    """The form behind a link, with either of its buttons."""
    if path == "/multiple":
        return path, fields | {"action": action.value}
    return f"/{action.value}", fields


LONG = settings.get_current_profile_name() == "model"
SHORT = settings(max_examples=30, stateful_step_count=25, deadline=None)


def test_whatever_happens_the_promise_holds(side_by_side):
    GateModel.executor = side_by_side
    run_state_machine_as_test(GateModel, settings=None if LONG else SHORT)

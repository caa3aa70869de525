"""Whatever befalls a mail: it is sent later under the same id, and nothing else changes."""

from dataclasses import dataclass

import pytest

from approval.model import Action, TaskState
from tests.fakes import OPERATOR
from tests.faults.troubles import DROP, status
from tests.faults.ways import ANA, MAX, MONA

VERBS = ["EHLO", "MAIL", "RCPT", "DATA", "."]


@dataclass(frozen=True)
class Kind:
    """One of the four mails: how it comes to be sent, and to whom."""

    name: str
    to: tuple[str, ...]

    def begin(self, way):
        """Come to the point where this mail is the next outside call."""
        if self.name == "request":
            way.announce()
            return
        way.ask()
        if self.name == "alert":
            way.spoil("POST ", status(409))
        way.press(Action.ACCEPT)
        way.gate.mails.close()
        way.outside.mail.taken.clear()


REQUEST = Kind("request", (MAX, MONA))
TOLD = Kind("note and outcome", (ANA, MAX))
ALERT = Kind("alert", (ANA, MAX, OPERATOR))
KINDS = [REQUEST, TOLD, ALERT]

kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
verbs = pytest.mark.parametrize("verb", VERBS)


@kinds
@verbs
def test_a_server_that_hangs_up_gets_the_mail_later(way, kind, verb):
    kind.begin(way)
    way.outside.mail.replies[verb] = None
    delayed(way, kind)


@kinds
@pytest.mark.parametrize("verb", ["greeting", *VERBS])
def test_a_silent_server_gets_the_mail_later(hasty_mails, kind, verb):
    kind.begin(hasty_mails)
    answer(hasty_mails, verb, "")
    delayed(hasty_mails, kind)


@kinds
@pytest.mark.parametrize("verb", ["greeting", *VERBS])
def test_a_server_that_is_busy_gets_the_mail_later(way, kind, verb):
    kind.begin(way)
    answer(way, verb, "451 not now" if verb != "greeting" else "421 not now")
    delayed(way, kind)


@kinds
@pytest.mark.parametrize("verb", ["greeting", "EHLO", "MAIL"])
def test_a_server_that_refuses_the_gate_gets_the_mail_later(way, kind, verb):
    kind.begin(way)
    answer(way, verb, "554 not you")
    way.outside.mail.replies["HELO"] = "554 not you"
    delayed(way, kind)


@verbs
@pytest.mark.parametrize("nonsense", ["HTTP/1.1 400 Bad Request", "\x00\xff\xfe", "999 what"])
def test_a_server_that_speaks_otherwise_gets_the_mail_later(way, verb, nonsense):
    REQUEST.begin(way)
    answer(way, verb, nonsense)
    way.outside.mail.replies["HELO"] = nonsense
    way.gate.work()
    sent_in_the_end(way, REQUEST)


@kinds
@pytest.mark.parametrize("verb", ["EHLO", "RCPT", "."])
def test_a_server_that_drips_gets_the_mail_later(hasty_mails, kind, verb):
    heard_out = []

    def drips(reply):
        for place in range(len(reply)):
            if hasty_mails.outside.mail.over.wait(DROP):
                return
            yield reply[place : place + 1]
        heard_out.append(reply)

    kind.begin(hasty_mails)
    hasty_mails.outside.mail.replies[verb] += " " + "x" * 60
    hasty_mails.outside.mail.manners[verb] = drips
    delayed(hasty_mails, kind)
    assert heard_out == []


@kinds
@pytest.mark.parametrize("verb", ["RCPT", "DATA", "."])
def test_a_mail_that_is_refused_for_good_waits_for_the_operator(way, kind, verb):
    kind.begin(way)
    answer(way, verb, "550 no such thing")
    way.endure()
    assert way.mails == []
    assert {job.kind for job in way.parked()} >= ({"ask"} if kind is REQUEST else {"note"})
    assert "parked" in way.events
    sent_in_the_end(way, kind)
    assert OPERATOR in [mail["To"].addresses[0].addr_spec for mail in way.alerts]


def answer(way, verb, reply):
    if verb == "greeting":
        way.outside.mail.greeting = reply
    else:
        way.outside.mail.replies[verb] = reply


def delayed(way, kind):
    way.endure()
    assert way.seen
    assert "failed" in way.events
    sent_in_the_end(way, kind)
    assert len(way.alerts) >= 1


def sent_in_the_end(way, kind):
    asked = way.decided.state
    way.mend()
    assert sorted(way.mailed) == sorted(to for to in kind.to if to != OPERATOR)
    assert way.decided.state is asked
    if kind is REQUEST:
        assert (way.state, way.decided.state) == ("QUEUEING", TaskState.PENDING)
        assert way.posts == []
    else:
        assert way.posts == ["continue"]
        assert way.decided.state is TaskState.ACCEPTED

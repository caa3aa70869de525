"""One whole round, from the callback to the last mail, as steps to be seen."""

import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from approval.demo.browser import Browser, Page, links, readable
from approval.demo.cloud.task import DONE, HELD, RUNNING
from approval.demo.gate import READY, GateFailed
from approval.demo.mailbox import Mail
from approval.demo.stage import Stage

T = TypeVar("T")

MACHINE = 59  # web-01
REQUESTER = "ana@acme.example"
DECIDES, LOOKS_LATER = "mona@acme.example", "max@acme.example"
COMMENT = "Fine with me, but watch the costs."
GOES_ON = (RUNNING | {DONE}) - {HELD}


class Missed(Exception):
    """Raised if a step was not seen; says what was expected."""


class Round:
    """The steps; each looks for what should happen and says what it saw. Raises Missed."""

    def __init__(self, stage: Stage, browser: Browser, patience: float) -> None:
        self._stage = stage
        self._cloud = stage.cloud
        self._browser = browser
        self._patience = patience
        self._task = ""
        self._requests: dict[str, Mail] = {}
        self._page = Page("", 0, "")

    def gate_is_ready(self) -> str:
        try:
            self._stage.gate.wait_until_ready(READY)
        except GateFailed as error:
            raise Missed(f"a gate that is ready, but {error}") from error
        return f"The gate is ready at {self._stage.gate.url}"

    def task_is_held(self) -> str:
        (self._task,) = self._cloud.deploy_machine(MACHINE)
        callbacks = self._wait(lambda: self._cloud.callbacks, "an answer to the callback")
        status = callbacks[0].status
        _expect(status == 202, f"202 to the callback, not {status or 'silence'}")
        self._expect_held()
        return f"Ana deploys web-01: Abiquo holds the task and calls, the gate answers {status}"

    def managers_are_asked(self) -> str:
        for address in (DECIDES, LOOKS_LATER):
            self._requests[address] = self._mail(address, "Approval needed", "the question")
        names = " and ".join(_name(mail) for mail in self._requests.values())
        return f"{names} have a mail: {self._requests[DECIDES].subject}"

    def link_only_asks(self) -> str:
        self._page = self._browser.open(self._link(DECIDES))
        _expect(self._page.status == 200, f"200 to the link, not {self._page.status}")
        self._expect_held()
        return "Mona's link opens a page (200), and the task is still held"

    def button_records(self) -> str:
        try:
            page = self._browser.press(self._page, "Accept", comment=COMMENT)
        except LookupError as error:
            raise Missed(f"a form to accept with a comment, but: {error}") from error
        _expect(page.status == 200, f"200 to the button, not {page.status}")
        _expect("is recorded" in page.text, f"a page that says “recorded”, not: {page.text}")
        return f"Mona writes “{COMMENT}” and presses Accept: the decision is recorded"

    def task_goes_on(self) -> str:
        self._wait(self._told, "Abiquo to be told, with the comment")
        state = self._cloud.task_state(self._task)
        _expect(state in GOES_ON, f"a task that goes on, not {state}")
        return "Abiquo is told to continue, notes the comment, and goes on"

    def requester_hears(self) -> str:
        mail = self._mail(REQUESTER, "", "the outcome")
        for part in (mail.text or "", readable(mail.html)):
            _expect(COMMENT in " ".join(part.split()), f"the comment in the mail: {mail.subject}")
        return f"{_name(mail)} reads the outcome and the comment: {mail.subject}"

    def other_manager_hears(self) -> str:
        asked = self._requests[LOOKS_LATER]
        mail = self._mail(LOOKS_LATER, "Re: ", "a short note")
        follows, thread = mail.message["In-Reply-To"], asked.message["Message-ID"]
        _expect(follows == thread, f"a note that answers {thread}, not {follows}")
        return f"{_name(mail)} has a short note in the same thread: {mail.subject}"

    def other_link_is_gone(self) -> str:
        page = self._browser.open(self._link(LOOKS_LATER))
        _expect(page.status == 410, f"410 to the other link, not {page.status}")
        decider = _name(self._requests[DECIDES])
        _expect(decider in page.text, f"{decider} on the page, not: {page.text}")
        return f"Max's link now answers 410 and names who decided: {decider}"

    def _wait(self, found: Callable[[], T], expected: str) -> T:
        deadline = time.monotonic() + self._patience
        while not (value := found()):
            _expect(self._stage.gate.alive, f"{expected}, but the gate has ended")
            _expect(time.monotonic() < deadline, f"{expected}, within {self._patience:g} seconds")
            time.sleep(0.01)
        return value

    def _mail(self, address: str, subject: str, what: str) -> Mail:
        def found() -> list[Mail]:
            mails = self._stage.mailbox.messages
            return [m for m in mails if address in m.recipients and m.subject.startswith(subject)]

        return self._wait(found, f"a mail to {address} with {what}")[0]

    def _link(self, address: str) -> str:
        """The link to accept the task, as the HTML of the mail has it."""
        for url in links(self._requests[address].html):
            parts = urlsplit(url)
            if parts.path == "/accept" and parse_qs(parts.query).get("task") == [self._task]:
                return url
        raise Missed(f"a link to accept the task in the mail to {address}")

    def _expect_held(self) -> None:
        state = self._cloud.task_state(self._task)
        _expect(state == HELD, f"a task that is held, not {state}")

    def _told(self) -> bool:
        return any(
            event.task == self._task and COMMENT in (event.message or "")
            for event in self._cloud.events
        )


def _expect(true: bool, expected: str) -> None:
    if not true:
        raise Missed(expected)


def _name(mail: Mail) -> str:
    """Whom a mail is to."""
    (address,) = mail.message["To"].addresses
    return str(address.display_name or address.addr_spec)


STEPS: tuple[Callable[[Round], str], ...] = (
    Round.gate_is_ready,
    Round.task_is_held,
    Round.managers_are_asked,
    Round.link_only_asks,
    Round.button_records,
    Round.task_goes_on,
    Round.requester_hears,
    Round.other_manager_hears,
    Round.other_link_is_gone,
)

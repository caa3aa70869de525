"""What stands in for the outside: a platform, a mail server and a clock that can be read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from approval.findings import Finding, ok
from approval.mail import RecipientRefused
from approval.model import (
    Action,
    Callback,
    Decision,
    Description,
    Disk,
    HeldTask,
    Machine,
    Person,
    PlatformState,
    Reading,
)
from approval.platforms import CallbackError, PlatformError

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
OPERATOR = "operator@gate.example"


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def make_person(name: str, **changes: object) -> Person:
    """Somebody of the platform, whose key and address follow from the name."""
    word = name.lower()
    person = Person(key=f"users/{word}", name=name, address=f"{word}@example.org", role="ADMIN")
    return replace(person, **changes)


ANA, BEA, MAX = make_person("Ana", role="USER"), make_person("Bea"), make_person("Max")


def make_held(id: str = "1", **changes: object) -> HeldTask:
    """A deployment that Ana asked for."""
    links = {"continue": f"tasks/{id}/continue", "cancel": f"tasks/{id}/cancel"}
    held = HeldTask(id=id, type="DEPLOY", requester=ANA.key, links=links, held_since=NOW)
    return replace(held, **changes)


def make_machine(**changes: object) -> Machine:
    machine = Machine(
        key="machines/1", label="web-01", cpu=2, memory_mb=4096, disks=(Disk(size_mb=10240),)
    )
    return replace(machine, **changes)


def make_decision(**changes: object) -> Decision:
    return replace(Decision(by="Bea", at=NOW, reason="fine"), **changes)


@dataclass(frozen=True)
class Post:
    """One call that told the platform to go on."""

    task: HeldTask
    action: Action
    message: str
    key: str


class FakePlatform:
    """A platform in dicts and lists.

    `announced` is what a callback says where that differs from what the platform has.
    `errors` are raised by the next calls of a verb, `broken` by all of them; the verb
    "answer" is a release that took effect and whose answer was lost. The list of held tasks
    leaves out what is `unlisted` and adds what is `invented`; without `lists` there is none.
    """

    name = "fake"
    title = "Fake Cloud"

    def __init__(self) -> None:
        self.tasks: dict[str, HeldTask] = {}
        self.states: dict[str, PlatformState] = {}
        self.announced: dict[str, HeldTask] = {}
        self.people: list[Person] = [BEA, MAX]
        self.requester: Person | None = ANA
        self.machines: dict[str, Machine] = {}
        self.missing: tuple[str, ...] = ()
        self.transient = False
        self.lists = True
        self.unlisted: set[str] = set()
        self.invented: list[HeldTask] = []
        self.errors: dict[str, list[Exception]] = {}
        self.broken: dict[str, Exception] = {}
        self.calls: list[str] = []
        self.posts: list[Post] = []
        self.on_call: Callable[[str], None] = lambda verb: None

    def hold(self, *tasks: HeldTask) -> None:
        """Begin to hold tasks."""
        for task in tasks:
            self.tasks[task.id] = task
            self.states[task.id] = PlatformState.HELD

    def read(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        """The body is the tasks' ids."""
        self._meet("read", "")
        ids = body.decode().split()
        if not ids:
            raise CallbackError("there is no task in it")
        return Callback(tuple(self.announced.get(id) or self.tasks[id] for id in ids))

    def look(self, task: HeldTask) -> Reading:
        assert task.links, "there is nothing to look at"
        self._meet("look", task.id)
        state = self.states.get(task.id, PlatformState.GONE)
        return Reading(state, self.tasks[task.id] if state is PlatformState.HELD else None)

    def held(self, *, whole: bool = False) -> Iterator[HeldTask] | None:
        """What is held, and then what is only said to be."""
        self._meet("held", "")
        return self._list() if self.lists else None

    def _list(self) -> Iterator[HeldTask]:
        for id, task in list(self.tasks.items()):
            if self.states[id] is PlatformState.HELD and id not in self.unlisted:
                yield task
        yield from self.invented
        self._meet("end of list", "")

    def describe(self, tasks: Sequence[HeldTask]) -> Description:
        self._meet("describe", *(task.id for task in tasks))
        machines = {task.id: self.machines[task.id] for task in tasks if task.id in self.machines}
        return Description(
            requester=self.requester,
            machines=machines,
            missing=self.missing,
            transient=self.transient,
        )

    def approvers(self, tasks: Sequence[HeldTask]) -> list[Person]:
        self._meet("approvers", *(task.id for task in tasks))
        return list(self.people)

    def release(self, task: HeldTask, action: Action, message: str, key: str) -> None:
        self.posts.append(Post(task, action, message, key))
        self._meet("release", task.id)
        if self.states.get(task.id) is not PlatformState.HELD:
            raise PlatformError("the task is not held", permanent=True)
        accepted = action is Action.ACCEPT
        self.states[task.id] = PlatformState.CONTINUED if accepted else PlatformState.CANCELLED
        self._meet("answer", task.id)

    def check(self) -> list[Finding]:
        return [ok("Fake Cloud answers")]

    def close(self) -> None:
        pass

    @property
    def told(self) -> list[tuple[str, Action]]:
        """What the platform was told, in order, in short."""
        return [(post.task.id, post.action) for post in self.posts]

    def _meet(self, verb: str, *ids: str) -> None:
        self.calls.append(" ".join([verb, *ids]))
        self.on_call(verb)
        if self.errors.get(verb):
            raise self.errors[verb].pop(0)
        if verb in self.broken:
            raise self.broken[verb].with_traceback(None)


class FakeTransport:
    """A mail server in lists: `sent` was taken; `tried` was offered, taken or not."""

    def __init__(self) -> None:
        self.sent: list[EmailMessage] = []
        self.tried: list[EmailMessage] = []
        self.refused: set[str] = set()
        self.errors: list[Exception] = []
        self.broken: Exception | None = None
        self.on_send: Callable[[EmailMessage], None] = lambda message: None

    def send(self, message: EmailMessage) -> None:
        self.tried.append(message)
        self.on_send(message)
        if self.errors:
            raise self.errors.pop(0)
        if self.broken is not None:
            raise self.broken.with_traceback(None)
        if address_of(message) in self.refused:
            raise RecipientRefused(f"{message['To']} was refused: 550", permanent=True)
        self.sent.append(message)

    def close(self) -> None:
        pass

    def to(self, person: Person | str) -> list[EmailMessage]:
        """What was sent to somebody."""
        address = person if isinstance(person, str) else person.address
        return [message for message in self.sent if address_of(message) == address]

    @property
    def recipients(self) -> list[str]:
        """Who was written to, in order."""
        return [address_of(message) for message in self.sent]


def address_of(message: EmailMessage) -> str:
    """The one address that a message goes to."""
    [address] = message["To"].addresses
    return address.addr_spec


def text_of(message: EmailMessage) -> str:
    """The plain text of a message."""
    return message.get_body(["plain"]).get_content()


def unreachable() -> PlatformError:
    """What the platform's module raises when nobody answers."""
    return PlatformError("GET tasks: no connection")


def forbidden() -> PlatformError:
    """What the platform's module raises when our credentials are refused."""
    return PlatformError("GET tasks: 401", alert=True)


def refused() -> PlatformError:
    """What the platform's module raises when it said no for good."""
    return PlatformError("POST continue: 409", permanent=True, said="409")


def asked_to_wait(seconds: float) -> PlatformError:
    return PlatformError("POST continue: 503", retry_after=timedelta(seconds=seconds))

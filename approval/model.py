"""What we talk about: frozen values in the words of the design, without behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

CODE_TRIES = 5  # wrong codes that lock a person's links to a request


class Action(StrEnum):
    """What an approver or a rule can choose for a task."""

    ACCEPT = "accept"
    DECLINE = "decline"


class TaskState(StrEnum):
    """Where a task stands with us; `WITHDRAWN`: it ended on the platform, without us."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Delivery(StrEnum):
    """Whether the platform has been told of a decision."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    REFUSED = "refused"  # the platform said no for good
    OVERTAKEN = "overtaken"  # it had ended otherwise on the platform
    FAILED = "failed"  # we gave up; an operator can redeliver


class PlatformState(StrEnum):
    """Where a task stands on the platform."""

    HELD = "held"
    CONTINUED = "continued"
    CANCELLED = "cancelled"
    GONE = "gone"  # unknown there, or ended in a way that cannot be told


class MailState(StrEnum):
    """What became of the message that asks an approver."""

    WAITING = "waiting"
    SENT = "sent"
    SKIPPED = "skipped"  # everything was decided before it was sent
    REFUSED = "refused"  # the mail server refused this address for good


@dataclass(frozen=True, kw_only=True)
class HeldTask:
    """A task as the platform wrote it.

    `links` are paths below the platform's API root by rel, without leading slash;
    only the platform's own module looks inside. `requester` is the key of a Person.
    """

    id: str
    type: str
    requester: str = ""
    links: Mapping[str, str]
    held_since: datetime | None = None


@dataclass(frozen=True)
class Callback:
    """What a platform announced: 1..n tasks of one requester."""

    tasks: tuple[HeldTask, ...]


@dataclass(frozen=True)
class Reading:
    """A task read back from the platform; `task` is its own record while it is held."""

    state: PlatformState
    task: HeldTask | None = None


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user of the platform; `key` identifies them there, `address` is a mail address."""

    key: str
    name: str
    address: str | None = None
    role: str | None = None


@dataclass(frozen=True, kw_only=True)
class Disk:
    """A disk or an attached volume of a machine."""

    size_mb: int
    name: str | None = None
    volume: bool = False
    system: bool = False


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a machine lives: enterprise > virtual datacenter (in location) > appliance."""

    enterprise: str | None = None
    datacenter: str | None = None
    location: str | None = None
    appliance: str | None = None


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine as the platform describes it; None where it did not say.

    `key` identifies the machine on the platform, `name` is the platform's name for it,
    `label` what its owner calls it.
    """

    key: str
    name: str | None = None
    label: str | None = None
    description: str | None = None
    template: str | None = None
    cpu: int | None = None
    memory_mb: int | None = None
    disks: tuple[Disk, ...] = ()
    addresses: tuple[str, ...] = ()
    place: Place = Place()


@dataclass(frozen=True)
class Snapshot:
    """What the gate last knew of a machine, and since when."""

    machine: Machine
    seen_at: datetime


@dataclass(frozen=True, kw_only=True)
class Description:
    """What the platform says about the tasks of one request.

    `machines` by platform task id. `missing` names, for people, what could not be had;
    `transient` says that another try may bring it.
    """

    requester: Person | None
    machines: Mapping[str, Machine]
    missing: tuple[str, ...] = ()
    transient: bool = False


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The outcome for a task: by whom (a person, a rule, the platform), when, why."""

    by: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One held unit as the gate keeps it; `decision` is None while it is pending."""

    id: int
    held: HeldTask
    state: TaskState
    decision: Decision | None = None
    delivery: Delivery | None = None
    delivery_note: str = ""
    delivered_at: datetime | None = None
    machine: Machine | None = None
    previous: Snapshot | None = None

    @property
    def pending(self) -> bool:
        """Whether it can still be decided."""
        return self.state is TaskState.PENDING


@dataclass(frozen=True, kw_only=True)
class ApprovalRequest:
    """What one callback asks, with its tasks in the order of the callback.

    At `decline_at` the gate declines what nobody has decided; None: it never does.
    """

    id: str
    received_at: datetime
    tasks: tuple[Task, ...]
    requester: Person | None = None
    missing: tuple[str, ...] = ()
    closed_at: datetime | None = None
    decline_at: datetime | None = None

    @property
    def asked_at(self) -> datetime:
        """Since when the platform waits; a clock that is ahead of ours makes it no later."""
        held_since = (task.held.held_since for task in self.tasks)
        return min([self.received_at, *filter(None, held_since)])

    @property
    def pending(self) -> tuple[Task, ...]:
        """The tasks that can still be decided."""
        return tuple(task for task in self.tasks if task.pending)

    @property
    def handled(self) -> tuple[Task, ...]:
        """The tasks that are decided or withdrawn."""
        return tuple(task for task in self.tasks if not task.pending)


@dataclass(frozen=True, kw_only=True)
class Approver:
    """A person who is asked; `thread` is the Message-ID of the mail that asked them.

    `wrong_codes` counts the codes that were typed wrong on the pages behind their links,
    `reminders` the mails that came after it because they had not decided.
    """

    id: int
    request_id: str
    name: str
    address: str
    mail: MailState = MailState.WAITING
    mailed_at: datetime | None = None
    thread: str | None = None
    revoked_at: datetime | None = None
    wrong_codes: int = 0
    reminders: int = 0

    @property
    def revoked(self) -> bool:
        """Whether the operator withdrew this person's links."""
        return self.revoked_at is not None

    @property
    def locked(self) -> bool:
        """Whether so many wrong codes were typed that the links decide nothing any more."""
        return self.wrong_codes >= CODE_TRIES

    @property
    def can_decide(self) -> bool:
        """Whether a press of theirs still counts."""
        return not self.revoked and not self.locked


@dataclass(frozen=True, kw_only=True)
class Job:
    """A promise to act outside the database, claimed by the holder of `lease`.

    `run` counts how often the promise was renewed while it stood: the same job asked for
    again after it had begun has to run again, under a new `key`. `error` is why it failed last,
    None if no attempt of this run is known to have failed; one that was cut off is not known.
    `awaits` is what the last attempt did not find yet, and those before it since `awaits_since`.
    """

    id: str
    kind: str
    subject: str
    lease: str
    attempts: int
    run: int
    made_at: datetime
    request_id: str | None = field(default=None)
    error: str | None = None
    awaits: str | None = None
    awaits_since: datetime | None = None

    @property
    def key(self) -> str:
        """The same for every attempt of one run: Message-ID and Idempotency-Key."""
        return f"{self.id}.{self.run}"

    def waited(self, awaits: str, now: datetime) -> timedelta:
        """For how long nothing else has been waited for than this."""
        since = self.awaits_since if self.awaits == awaits else None
        return now - since if since else timedelta()

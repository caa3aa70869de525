"""What goes wrong around the gate, one after the other, each for a while."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import cycle
from threading import Event

from approval.clock import utc_now
from approval.demo.cloud import Fault
from tests.half_sent import half_sent
from tests.load.crowd import Crowd
from tests.load.others import Others
from tests.load.site import Site

LATENCY, DELAY = 0.5, 1.0  # seconds for an answer of the platform, for the taking of a mail
HALF_SENT = 64
STRANGERS = 10  # a second


class Side(StrEnum):
    """Whose fault it is."""

    PLATFORM = "platform"
    MAIL = "mail"
    WEB = "web"


@dataclass(frozen=True)
class Trouble:
    name: str
    side: Side
    befall: Callable[[Site], AbstractContextManager[None]]


@dataclass(frozen=True)
class Spell:
    """A time in which something went wrong."""

    trouble: Trouble
    begun: datetime
    ended: datetime


def _faults(*plan: Fault, latency: float = 0.0, down: bool = False) -> Callable[..., object]:
    @contextmanager
    def befall(site: Site) -> Iterator[None]:
        faults = site.cloud.faults
        faults.plan(*plan)
        faults.latency, faults.down = latency, down
        yield
        faults.clear()

    return befall


@contextmanager
def _no_mail(site: Site) -> Iterator[None]:
    site.post.shut()
    yield
    site.post.open()


@contextmanager
def _busy_mail(site: Site) -> Iterator[None]:
    site.post.mailbox.replies = lambda address: "451 busy"
    yield
    site.post.mailbox.replies = {}


@contextmanager
def _slow_mail(site: Site) -> Iterator[None]:
    site.post.mailbox.delay = DELAY
    yield
    site.post.mailbox.delay = 0.0


@contextmanager
def _strangers(site: Site) -> Iterator[None]:
    with closing(Crowd(site.ledger.blame, threads=4)) as flood:
        flood.keep(Others(site.ledger).try_a_token, STRANGERS)
        yield


@contextmanager
def _half_sent(site: Site) -> Iterator[None]:
    with half_sent(site.port, HALF_SENT):
        yield


TROUBLES = (
    Trouble("the platform is down", Side.PLATFORM, _faults(down=True)),
    Trouble("the mail server answering 451", Side.MAIL, _busy_mail),
    Trouble(f"the platform needing {LATENCY} s", Side.PLATFORM, _faults(latency=LATENCY)),
    Trouble("strangers trying ten tokens a second", Side.WEB, _strangers),
    Trouble("the platform answering 503", Side.PLATFORM, _faults(Fault(status=503, times=None))),
    Trouble("the mail server down", Side.MAIL, _no_mail),
    Trouble(
        "the platform acting, and then hanging up", Side.PLATFORM,
        _faults(Fault(method="POST", after=True, drop=True, times=None)),
    ),
    Trouble(f"{HALF_SENT} half-sent requests", Side.WEB, _half_sent),
    Trouble(f"the mail server needing {DELAY:.0f} s", Side.MAIL, _slow_mail),
)  # fmt: skip


def befall(site: Site, length: float, calm: float, over: Event) -> Sequence[Spell]:
    """Let one trouble after the other befall a site until it is over; returns when which did."""
    spells = []
    for trouble in cycle(TROUBLES):
        if over.wait(calm):
            return spells
        begun = utc_now()
        with trouble.befall(site):
            over.wait(length)
        spells.append(Spell(trouble, begun, utc_now()))
    return spells

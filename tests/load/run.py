"""One run: so many seconds of mixed load and troubles, and what came of it."""

import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.load import verdict
from tests.load.asking import Users
from tests.load.gauge import Gauge
from tests.load.ledger import Ledger
from tests.load.log import Log
from tests.load.others import Others
from tests.load.site import Site, served
from tests.load.troubles import Spell, befall

# How often, a second: what two cores bear that others use, too.
OPERATIONS, LOOKS, NONSENSE, TOO_MUCH, STRANGERS = 3.0, 1.0, 0.5, 0.1, 0.2
GROWTH = 10.0  # MB that the memory's median may grow from the middle third to the last
SAMPLES = 600  # in a run
TO_REST = 300.0  # seconds that everything has to come to rest, when all is well again
HURRY = 0.3  # seconds between two looks whether it has


@dataclass(frozen=True)
class Run:
    """What came of it: `failed` attempts of jobs, `repeated` mails, and what must not be."""

    seconds: float
    ledger: Ledger
    gauge: Gauge
    spells: Sequence[Spell]
    tasks: int
    mails: int
    repeated: int
    failed: int
    wrong: Sequence[str]


def run(seconds: float, length: float, calm: float, seed: int, keep_log: Path | None = None) -> Run:
    """Run for so long; a trouble lasts for `length` seconds and comes after `calm` ones."""
    with served() as site:
        users = Users(site.cloud, site.ledger, site.crowd.do, seed)
        gauge = Gauge(site.service.process.pid, seconds / SAMPLES)
        spells = _act(site, users, seconds, length, calm)
        gauge.stop()
        _come_to_rest(site)
        if code := site.service.end():
            site.ledger.blame(f"it ended with {code}")
        if keep_log:
            shutil.copy(site.folder / "log", keep_log)
        log = Log(site.folder / "log")
        ids = [letter.id for letter in site.post.letters]
        return Run(
            seconds=seconds,
            ledger=site.ledger,
            gauge=gauge,
            spells=spells,
            tasks=len(users.announced),
            mails=len(ids),
            repeated=len(ids) - len(set(ids)),
            failed=len(log.named("job failed")),
            wrong=[
                *site.ledger.wrong,
                *log.wrong(site.ledger, spells),
                *verdict.wrong(site, users.announced),
            ],
        )


def _act(site: Site, users: Users, seconds: float, length: float, calm: float) -> Sequence[Spell]:
    """Have everybody act while troubles befall the site; returns which did, and when."""
    others, over = Others(site.ledger), threading.Event()
    threading.Timer(seconds, over.set).start()
    for act, pace in (
        (users.begin, OPERATIONS),
        (others.watch, LOOKS),
        (others.talk_nonsense, NONSENSE),
        (others.send_too_much, TOO_MUCH),
        (others.try_a_token, STRANGERS),
    ):
        site.crowd.keep(act, pace)
    spells = befall(site, length, calm, over)
    site.crowd.rest()
    return spells


def _come_to_rest(site: Site) -> None:
    """Wait until nothing is left to do; the time that jobs are to wait is not waited for."""
    deadline = time.monotonic() + TO_REST
    while (site.crowd.busy or verdict.left(site)) and time.monotonic() < deadline:
        site.hurry()
        time.sleep(HURRY)

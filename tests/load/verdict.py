"""What everybody concerned knows in the end, and what of it must not be."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from click.testing import CliRunner

from approval.cli import main
from tests.crash.stage import ERRANDS
from tests.crash.story import EFFECTS, STATES
from tests.fakes import OPERATOR
from tests.load.site import Site

PERSONAL = ("mailed", "told")  # events that tell of a mail to approvers and requesters
PERHAPS = "%(perhaps;%"  # of a mail that may never have left


def wrong(site: Site, announced: set[str]) -> Iterator[str]:
    """Promises that were not kept."""
    states = dict(site.rows("SELECT platform_task_id, state FROM tasks"))
    yield from (f"forgotten though answered: {task}" for task in announced - states.keys())
    yield from _decisions(site, states)
    yield from _effects(site, states)
    yield from _jobs(site)
    yield from _mails(site)
    verified = CliRunner().invoke(main, ["audit", "verify", *settings(site)])
    if verified.exit_code:
        yield f"the trail is not whole: {verified.output[-500:]}"


def settings(site: Site) -> list[str]:
    """The options that name the settings to a command."""
    return ["--config", str(site.folder / "workflow.cfg")]


def left(site: Site) -> int:
    """How much is still to be decided, delivered or mailed."""
    pending = site.rows("SELECT platform_task_id FROM tasks WHERE state = 'pending'")
    kinds = [kind for (kind,) in site.rows("SELECT kind FROM jobs") if kind in ERRANDS]
    return len(pending) + len(kinds)


def _decisions(site: Site, states: Mapping[object, object]) -> Iterator[str]:
    """One for each task, the one that was shown."""
    shown = site.managers.shown
    for task, state in states.items():
        actions = shown.get(str(task), set())
        if {STATES[action] for action in actions} != {state}:
            yield f"{state}, and shown as {sorted(actions)}: {task}"
    decided = site.rows(
        "SELECT t.platform_task_id, count(*) FROM tasks t JOIN events e ON e.task_id = t.id"
        " WHERE e.kind IN ('accepted', 'declined', 'withdrawn') GROUP BY 1 HAVING count(*) > 1"
    )
    yield from (f"decided {number} times: {task}" for task, number in decided)


def _effects(site: Site, states: Mapping[object, object]) -> Iterator[str]:
    """What the platform did is what was decided, once, and the gate knows it."""
    effects = defaultdict(list)
    for event in site.cloud.events:
        if "was successful" in event.text:
            effects[event.task].append(event.text)
    for task, state in states.items():
        done = effects[str(task)]
        if len(done) != 1 or EFFECTS.get(str(state), "?") not in done[0]:
            yield f"{state}, but the platform did {done}: {task}"
    unknown = site.rows(
        "SELECT platform_task_id, delivery FROM tasks WHERE delivery <> 'delivered'"
    )
    yield from (f"{delivery}: {task}" for task, delivery in unknown)


def _jobs(site: Site) -> Iterator[str]:
    """Nothing is left to do, or was given up."""
    if number := left(site):
        yield f"it did not come to rest: {number} tasks and jobs are left"
    for kind, error in site.rows("SELECT kind, error FROM jobs WHERE parked_at IS NOT NULL"):
        yield f"given up: {kind}: {error}"


def _mails(site: Site) -> Iterator[str]:
    """Each mail that was recorded has come; each request asked somebody and told its requester."""
    letters = {letter.id: letter for letter in site.post.letters}
    threads = site.rows(
        "SELECT address, thread FROM approvers WHERE mail = 'sent' AND request_id NOT IN"
        " (SELECT request_id FROM events WHERE kind = 'mailed' AND text LIKE ?)",
        PERHAPS,
    )
    yield from (f"no mail {thread} for {to}" for to, thread in threads if thread not in letters)
    waiting = site.rows("SELECT address FROM approvers WHERE mail NOT IN ('sent', 'skipped')")
    yield from (f"never asked: {address}" for (address,) in waiting)
    recorded = site.rows(
        "SELECT count(*) FROM events WHERE kind IN (?, ?) AND text NOT LIKE ?", *PERSONAL, PERHAPS
    )
    come = sum(letter.to != OPERATOR for letter in letters.values())
    if come < int(str(recorded[0][0])):
        yield f"{recorded[0][0]} mails are recorded, and {come} have come"
    asked = {letter.request for letter in letters.values() if letter.tasks}
    requests = {id for (id,) in site.rows("SELECT id FROM approval_requests")}
    yield from (f"nobody was asked about request {id}" for id in requests - asked)
    outcomes = "SELECT request_id FROM events WHERE kind = 'told' AND text LIKE 'outcome%'"
    told = {id for (id,) in site.rows(outcomes)}
    yield from (f"the requester was not told of request {id}" for id in requests - told)

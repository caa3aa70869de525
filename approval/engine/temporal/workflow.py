"""What Temporal runs: one workflow for each owner of jobs, and one for each round.

They know nothing of approvals. An activity tells them what is due and what there is to show;
so the gate can change without breaking workflows that are open. This module imports nothing
of the gate, because Temporal runs it in a sandbox, and a change of it has to replay the recorded
histories of `tests/engine/temporal`.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey, SearchAttributeUpdate

REQUEST, ROUND = "ApprovalRequest", "ApprovalRound"
LOOK, RUN_DUE, RUN_ROUND = "look", "run_due", "run_round"
POKE = "poke"
UPKEEP = "upkeep"
# What an activity fails of is the gate's own trouble, as a database that is down. What the
# platform or the mail server do is tried again by the gate, in its own time.
AGAIN = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=30),
)
LONGEST = timedelta(minutes=30)  # what an activity may take; one that hangs is seen by its silence
SILENCE = timedelta(seconds=5)  # after which its worker is believed to be dead
QUICK = timedelta(seconds=10)
SHORTEST = 0.05  # seconds between looks at what is due any moment
SUMMARIES = {
    "release": "Tell the platform",
    "consider": "Ask the platform and the rules",
    "mail": "Send mails",
    "upkeep": "Look after the gate",
}


@dataclass
class Story:
    """What there is to show of an owner; `version` tells it from others."""

    version: str
    state: str
    waits_for: str
    details: str
    attributes: dict[str, str | list[str]] = field(default_factory=dict)


@dataclass
class Report:
    """How an owner stands: by lane, in how many seconds its next job is due.

    `over`: nobody will ask anything of it by themselves. `story` is None if it is known.
    """

    due: dict[str, float]
    over: bool
    story: Story | None = None


def search_attribute(name: str, value: str | list[str]) -> SearchAttributeUpdate[Any]:
    """How a value is set; lists are keyword lists."""
    if isinstance(value, str):
        return SearchAttributeKey.for_keyword(name).value_set(value)
    return SearchAttributeKey.for_keyword_list(name).value_set(value)


@workflow.defn(name=REQUEST)
class Request:
    """Has the jobs of one owner run, those of each lane one after the other, until all is done.

    It looks whenever it was poked, something was run or something is due; what it does follows
    from what it sees then, so a poke too many does no harm.
    """

    def __init__(self) -> None:
        self._changed = False
        self._at_work: dict[str, asyncio.Task[None]] = {}
        self._story = Story("", "", "", "")

    @workflow.run
    async def run(self, owner: str) -> str:
        """Returns the state in which it ended."""
        while True:
            self._changed = False
            report = await self._look(owner)
            if report.story:
                self._show(report.story)
            idle = {lane: due for lane, due in report.due.items() if lane not in self._at_work}
            for lane in [lane for lane, due in idle.items() if due <= 0]:
                self._at_work[lane] = asyncio.create_task(self._run_due(owner, lane))
            if not self._at_work and not self._changed:
                if report.over and not report.due:
                    return self._story.state
                if workflow.info().is_continue_as_new_suggested():
                    workflow.continue_as_new(owner)
            await self._wait([due for due in idle.values() if due > 0])

    @workflow.signal(name=POKE)
    def poke(self) -> None:
        """Something changed."""
        self._changed = True

    @workflow.query
    def state(self) -> dict[str, Any]:
        """How it stands, what it waits for, and what is being done."""
        return {
            "state": self._story.state,
            "waits for": self._story.waits_for,
            "at work": sorted(self._at_work),
        }

    async def _look(self, owner: str) -> Report:
        report: Report = await workflow.execute_local_activity(
            LOOK,
            args=[owner, self._story.version],
            result_type=Report,
            start_to_close_timeout=QUICK,
            retry_policy=AGAIN,
            # Longer waits are timers of the server, not of the workflow's task.
            local_retry_threshold=timedelta(seconds=2),
        )
        return report

    async def _run_due(self, owner: str, lane: str) -> None:
        try:
            await workflow.execute_activity(
                RUN_DUE,
                args=[owner, lane],
                task_queue=queue_of(workflow.info().task_queue, lane),
                start_to_close_timeout=LONGEST,
                heartbeat_timeout=SILENCE,
                retry_policy=AGAIN,
                summary=SUMMARIES.get(lane, lane),
            )
        finally:
            del self._at_work[lane]
            self._changed = True

    async def _wait(self, dues: Sequence[float]) -> None:
        timeout = max(min(dues), SHORTEST) if dues else None
        with suppress(asyncio.TimeoutError):
            await workflow.wait_condition(
                lambda: self._changed, timeout=timeout, timeout_summary="Until the next job is due"
            )

    def _show(self, story: Story) -> None:
        workflow.set_current_details(story.details)
        shown = {name: value for name, value in story.attributes.items() if _differs(name, value)}
        if shown:
            workflow.upsert_search_attributes(
                [search_attribute(name, value) for name, value in shown.items()]
            )
        if story.waits_for != workflow.memo().get("waits for"):
            workflow.upsert_memo({"waits for": story.waits_for})
        self._story = story


def _differs(name: str, value: str | list[str]) -> bool:
    now = {pair.key.name: pair.value for pair in workflow.info().typed_search_attributes}.get(name)
    return value != (now if now is None or isinstance(value, str) else list(now))


@workflow.defn(name=ROUND)
class Round:
    """Does a round, begun by a schedule, until it works."""

    @workflow.run
    async def run(self, kind: str) -> None:
        """Do one round of a kind."""
        again = await self._do(kind, begin=True)
        while again is not None:
            await workflow.sleep(max(again, SHORTEST))
            again = await self._do(kind, begin=False)

    async def _do(self, kind: str, *, begin: bool) -> float | None:
        again: float | None = await workflow.execute_activity(
            RUN_ROUND,
            args=[kind, begin],
            result_type=float | None,  # type: ignore[arg-type] # which the library takes
            task_queue=queue_of(workflow.info().task_queue, UPKEEP),
            start_to_close_timeout=LONGEST,
            heartbeat_timeout=SILENCE,
            retry_policy=AGAIN,
            summary=kind.capitalize(),
        )
        return again


def queue_of(task_queue: str, lane: str) -> str:
    """The queue of a lane's activities, so that a lane that hangs holds up no other."""
    return f"{task_queue}-{lane}"

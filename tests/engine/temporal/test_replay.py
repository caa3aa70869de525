"""Workflows that are open when the gate is upgraded go on: recorded histories replay."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from approval.engine.temporal.workflow import LOOK, REQUEST, ROUND, Report, Request, Round

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


def replay(file: Path, *workflows: type) -> Exception | None:
    """Why a recorded history cannot be what these workflows do; None if it can."""
    history = WorkflowHistory.from_json(file.stem, file.read_text("utf-8"))

    async def run():
        replayer = Replayer(workflows=workflows)
        return await replayer.replay_workflow(history, raise_on_replay_failure=False)

    return asyncio.run(run()).replay_failure


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.stem)
def test_what_was_recorded_is_still_what_the_workflows_do(file):
    assert replay(file, Request, Round) is None


@pytest.mark.parametrize(
    "shown", [REQUEST, ROUND, "CONTINUED_AS_NEW", "TIMER_FIRED", "UPSERT_WORKFLOW_SEARCH", "MARKER"]
)
def test_what_workflows_can_do_is_among_what_was_recorded(shown):
    assert any(shown in file.read_text("utf-8") for file in HISTORIES)


@workflow.defn(name=REQUEST)
class Changed:
    """A workflow that waits before it looks."""

    @workflow.run
    async def run(self, owner: str) -> None:
        await workflow.sleep(1)
        await workflow.execute_local_activity(
            LOOK, args=[owner, ""], result_type=Report, start_to_close_timeout=timedelta(seconds=1)
        )

    @workflow.signal
    def poke(self) -> None: ...


def test_a_workflow_that_does_otherwise_is_noticed():
    [file] = [file for file in HISTORIES if file.stem == "accepted"]
    assert isinstance(replay(file, Changed), workflow.NondeterminismError)

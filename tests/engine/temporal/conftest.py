import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowHandle
from temporalio.service import RPCError

from approval.engine.temporal.worker import TemporalEngine
from tests.conftest import wait_until
from tests.engine.conftest import PATIENCE, engines_at
from tests.temporals import Temporal


@dataclass
class Working:
    """A gate's engine, at work, and what Temporal shows of it."""

    engine: TemporalEngine
    server: Temporal
    queue: str

    def ask(self, question):
        """Ask the server something, given a client; waits until there is what is asked about."""

        async def ask():
            return await question(await self.server.client())

        def answer():
            with suppress(RPCError):  # not started yet
                return [asyncio.run(ask())]
            return None

        return wait_until(answer)[0]

    def workflow(self, client: Client, owner: str) -> WorkflowHandle:
        return client.get_workflow_handle(f"{self.queue}-{owner}")

    def page(self, owner: str) -> WorkflowExecutionDescription:
        """What Temporal knows of an owner's workflow."""
        return self.ask(lambda client: self.workflow(client, owner).describe())

    def memo(self, owner: str) -> dict[str, object]:
        """What stands beside it in lists."""

        async def memo(client: Client) -> dict[str, object]:
            return await (await self.workflow(client, owner).describe()).memo()

        return self.ask(memo)

    def details(self, owner: str) -> str:
        """What its page tells."""

        async def details(client: Client) -> str:
            metadata = await self.workflow(client, owner).query(
                "__temporal_workflow_metadata", result_type=WorkflowMetadata
            )
            return metadata.current_details

        return self.ask(details)

    def state(self, owner: str) -> dict[str, object]:
        return self.ask(lambda client: self.workflow(client, owner).query("state"))

    def attributes(self, owner: str) -> dict[str, object]:
        pairs = self.page(owner).typed_search_attributes
        ours = {pair.key.name: pair.value for pair in pairs if pair.key.name.startswith("Approval")}
        return {name: value if isinstance(value, str) else [*value] for name, value in ours.items()}

    def found(self, query: str) -> list[str]:
        """The owners of the workflows that a search finds."""

        async def find(client: Client) -> list[str]:
            query_here = f"TaskQueue = '{self.queue}' AND {query}"
            return [each.id async for each in client.list_workflows(query_here)]

        return [id.removeprefix(f"{self.queue}-") for id in self.ask(find)]

    def ended(self, owner: str) -> str:
        """Wait for the end of an owner's workflow; returns its result."""
        return self.ask(lambda client: self.workflow(client, owner).result())


@pytest.fixture
def working(temporal: Temporal, gate) -> Iterator[Working]:
    """The gate's engine, at work."""
    engine = engines_at(temporal, gate)()
    gate.database.wake = engine.wake
    engine.start()
    wait_until(lambda: not engine.trouble)
    yield Working(engine, temporal, engine.task_queue)
    assert engine.stop(PATIENCE)

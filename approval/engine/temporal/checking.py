"""Whether Temporal can be reached and knows what it has to, for `approval check`."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError

from approval.engine.temporal import setup
from approval.engine.temporal.connection import NoConnection, connect
from approval.engine.temporal.settings import Temporal
from approval.findings import Finding, ok, problem, warning
from approval.gate import Say
from approval.store.jobs import Kind

PATIENCE = 15.0  # seconds
SET_UP = "run 'approval temporal setup' as somebody who may"


def check(settings: Temporal) -> list[Finding]:
    """Try it once."""
    return asyncio.run(_check(settings))


def set_up(settings: Temporal, every: Mapping[Kind, timedelta], say: Say) -> None:
    """Register and make what is missing. Raises NoConnection, RPCError."""

    async def act() -> None:
        client = await connect(settings)
        await setup.register_attributes(client, say)
        await setup.set_schedules(client, settings.task_queue, every, say)

    asyncio.run(act())


async def _check(settings: Temporal) -> list[Finding]:
    try:
        async with asyncio.timeout(PATIENCE):
            client = await connect(settings)
            await client.count_workflows(f"TaskQueue = '{settings.task_queue}'")
            return [
                ok(f"{client.service_client.config.target_host}, namespace {client.namespace}"),
                await _attributes(client),
            ]
    except TimeoutError:
        return [problem(f"address: there was no answer within {PATIENCE:.0f} seconds")]
    except NoConnection as error:
        return [problem(f"address: {error}; name a Temporal that runs, and how to log in")]
    except RPCError as error:
        return [problem(f"namespace: {error}; name one that exists and that the gate may use")]


async def _attributes(client: Client) -> Finding:
    try:
        missing = await setup.attributes_missing(client)
    except RPCError as error:
        return warning(f"search attributes cannot be listed: {error}")
    if missing:
        return warning(f"search attributes are missing: {', '.join(sorted(missing))}; {SET_UP}")
    return ok("search attributes are registered")

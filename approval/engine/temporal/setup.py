"""What Temporal has to know before it works: search attributes, and schedules for the rounds."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from approval.engine.temporal.story import ENTERPRISE, LISTS, PLATFORM, REQUESTER, STATE, TYPE
from approval.engine.temporal.workflow import ROUND
from approval.gate import Say
from approval.store.jobs import ROUNDS, Kind

KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
KEYWORD_LIST = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST
ATTRIBUTES = {
    name: KEYWORD_LIST if name in LISTS else KEYWORD
    for name in (PLATFORM, ENTERPRISE, REQUESTER, TYPE, STATE)
}
CATCH_UP = timedelta(minutes=1)  # one round makes up for all that were missed
log = structlog.get_logger("approval.temporal")


async def attributes_missing(client: Client) -> set[str]:
    """Which search attributes are not registered. Raises RPCError."""
    answer = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    return {name for name, kind in ATTRIBUTES.items() if answer.custom_attributes.get(name) != kind}


async def register_attributes(client: Client, say: Say) -> None:
    """Register those search attributes that are missing. Raises RPCError."""
    missing = await attributes_missing(client)
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=client.namespace,
                search_attributes={name: ATTRIBUTES[name] for name in missing},
            )
        )
    for name in sorted(missing):
        say(f"registered the search attribute {name}")


async def set_schedules(
    client: Client, task_queue: str, every: Mapping[Kind, timedelta], say: Say
) -> None:
    """Have each round done so often, and no other. What is paused stays so. Raises RPCError."""
    for kind in ROUNDS:
        if kind in every:
            await _set_schedule(client, task_queue, kind, every[kind], say)
        else:
            await _drop_schedule(client, f"{task_queue}-{kind}", say)


async def run_at_once(client: Client, task_queue: str, kinds: Iterable[Kind]) -> None:
    """Begin rounds now, but for those that are paused. Raises RPCError."""
    for kind in kinds:
        handle = client.get_schedule_handle(f"{task_queue}-{kind}")
        if not (await handle.describe()).schedule.state.paused:
            await handle.trigger()


async def _set_schedule(
    client: Client, task_queue: str, kind: Kind, every: timedelta, say: Say
) -> None:
    id = f"{task_queue}-{kind}"
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)])
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(ROUND, kind.value, id=id, task_queue=task_queue),
        spec=spec,
        policy=SchedulePolicy(catchup_window=CATCH_UP),
    )
    try:
        await client.create_schedule(id, schedule)
        say(f"made the schedule {id}, every {every}")
    except ScheduleAlreadyRunningError:

        def changed(now: ScheduleUpdateInput) -> ScheduleUpdate | None:
            if now.description.schedule.spec.intervals == spec.intervals:
                return None
            say(f"changed the schedule {id}, every {every}")
            schedule.state = now.description.schedule.state
            return ScheduleUpdate(schedule)

        await client.get_schedule_handle(id).update(changed)


async def _drop_schedule(client: Client, id: str, say: Say) -> None:
    try:
        await client.get_schedule_handle(id).delete()
        say(f"removed the schedule {id}")
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise

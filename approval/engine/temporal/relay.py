"""The relay: hands over to Temporal what the store says has changed.

A wake stands in the store until Temporal has taken it, so that nothing is lost while Temporal
is down; handing one over twice does no harm.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from approval.engine.temporal.activities import Activities
from approval.engine.temporal.setup import attributes_missing
from approval.engine.temporal.workflow import POKE, REQUEST, Story, search_attribute
from approval.store import wakes
from approval.store.database import Database, StoreDown
from approval.store.wakes import Wake

# Seconds. What another process changed is found within this time.
LOOK_AT_LEAST_EVERY = 2.0
AT_ONCE = 100  # wakes handed over together
SIDE_BY_SIDE = 20
TASK_TIMEOUT = timedelta(seconds=5)  # after which a workflow's step is done by another worker
log = structlog.get_logger("approval.temporal")


class Relay:
    """Hands over wakes until it is cancelled; `worked` says whether all were once."""

    def __init__(
        self,
        client: Client,
        database: Database,
        activities: Activities,
        task_queue: str,
    ) -> None:
        self._client = client
        self._database = database
        self._activities = activities
        self._task_queue = task_queue
        self._bell = asyncio.Event()
        self._limit = asyncio.Semaphore(SIDE_BY_SIDE)
        self.worked = False

    def ring(self) -> None:
        """Say that there may be some. Call it in the thread of the event loop."""
        self._bell.set()

    async def run(self, say_it_works: Callable[[], None]) -> None:
        """Hand over what there is, again and again. Raises RPCError, StoreDown."""
        while True:
            self._bell.clear()
            more = await self._hand_over_some()
            if not more:
                self.worked = True
                say_it_works()
                await self._rest()

    async def _rest(self) -> None:
        """Until there may be something to hand over."""
        with suppress(TimeoutError):  # wait_for of Python 3.11 may miss that it was cancelled
            async with asyncio.timeout(LOOK_AT_LEAST_EVERY):
                await self._bell.wait()

    async def _hand_over_some(self) -> bool:
        """Hand over the oldest wakes; says whether there were any."""
        waiting = await asyncio.to_thread(self._waiting)
        if not waiting:
            return False
        handed = await asyncio.gather(*map(self._hand_over, waiting), return_exceptions=True)
        done = [wake for wake, error in zip(waiting, handed, strict=True) if error is None]
        await asyncio.to_thread(self._done, done)
        for error in handed:
            if error is not None:
                raise error
        return True

    def _waiting(self) -> list[Wake]:
        with self._database.read() as session:
            return wakes.waiting(session, AT_ONCE)

    def _done(self, done: list[Wake]) -> None:
        if done:
            with self._database.write() as session:
                wakes.done(session, done)

    async def _hand_over(self, wake: Wake) -> None:
        """Poke the owner's workflow, which is started if there is none."""
        async with self._limit:
            story = await asyncio.to_thread(self._story, wake.owner)
            try:
                await self._start(wake.owner, story)
            except RPCError as error:
                if error.status is not RPCStatusCode.INVALID_ARGUMENT or not self._activities.shows:
                    raise
                # Search attributes that were removed, or are too new, must not hold up anything.
                log.warning("search attributes refused", error=str(error))
                self._activities.shows = not await attributes_missing(self._client)
                await self._start(wake.owner, None)

    def _story(self, owner: str) -> Story | None:
        """What there is to show at first. Raises StoreDown."""
        try:
            return self._activities.report(owner).story
        except StoreDown:
            raise
        except Exception:  # which its workflow shows; it must not hold up others
            log.exception("story broke", owner=owner)
            return None

    async def _start(self, owner: str, story: Story | None) -> None:
        attributes = story.attributes if story else {}
        pairs = [search_attribute(name, value) for name, value in attributes.items()]
        await self._client.start_workflow(
            REQUEST,
            owner,
            id=f"{self._task_queue}-{owner}",
            task_queue=self._task_queue,
            task_timeout=TASK_TIMEOUT,
            start_signal=POKE,
            memo={"waits for": story.waits_for} if story else None,
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(pair.key, pair.value) for pair in pairs]
            ),
        )

"""An outage of Temporal: since when, and that the operator hears of one that lasts.

Alerts are jobs, which Temporal has to be up for; so while it is down they are run from here.
"""

import asyncio
import time

import structlog

from approval.clock import Clock
from approval.engine.jobs import Jobs
from approval.gate import trouble
from approval.store.database import Database, StoreDown
from approval.store.jobs import Kind, Lane

TOLD_AFTER = trouble.TOLD_AFTER.total_seconds()
TRY_EVERY = 60.0  # seconds between tries to tell the operator
log = structlog.get_logger("approval.temporal")


class Outage:
    """Whether Temporal is out of reach, and why: `text` is None if all is well."""

    def __init__(self, database: Database, jobs: Jobs, clock: Clock) -> None:
        self._database = database
        self._jobs = jobs
        self._clock = clock
        self.text: str | None = "not connected yet"
        self._since: float | None = None
        self._tell_at = 0.0

    async def note(self, error: BaseException) -> None:
        """Something did not work."""
        while isinstance(error, BaseExceptionGroup):  # of a worker and what was ended with it
            error = error.exceptions[0]
        self.text = text = str(error) or type(error).__name__
        now = time.monotonic()
        if self._since is None:
            self._since, self._tell_at = now, now + TOLD_AFTER
        log.error("temporal out of reach", error=text, seconds=round(now - self._since))
        if now >= self._tell_at:
            self._tell_at = now + TRY_EVERY
            await asyncio.to_thread(self._tell, text)

    def over(self) -> None:
        """It works."""
        self.text = None
        if self._since is not None:
            log.warning("temporal in reach again", seconds=round(time.monotonic() - self._since))
        self._since = None

    def _tell(self, text: str) -> None:
        now = self._clock()
        try:
            with self._database.write() as session:
                trouble.raise_alert(
                    session,
                    "temporal",
                    "Temporal cannot be reached",
                    f"{text}. Decisions are recorded all the same; nobody is mailed and the "
                    "platform is not told until it is back.",
                    "'approval check' tries the settings in [temporal]. If it stays away, [engine] "
                    "kind = embedded does without it.",
                    now,
                )
            self._jobs.run_due(Kind.ALERT, [Lane.MAIL])
        except StoreDown as error:
            log.error("store down", error=str(error))

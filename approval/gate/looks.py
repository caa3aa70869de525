"""Looks: reading tasks back one by one, as many as a round of reconciling may."""

from collections.abc import Callable
from datetime import datetime, timedelta

from approval.clock import Clock
from approval.model import HeldTask, PlatformState
from approval.platforms import Platform, PlatformError

LOOKS = 500  # in one round; the next one goes on where it ended
LONGEST = timedelta(minutes=5)
FAILURES = 3  # in a row: nobody is there


class Looks:
    """The looks of one round. `pause` lets those who wait for an answer go first."""

    def __init__(self, platform: Platform, clock: Clock, pause: Callable[[], None]) -> None:
        self.failure: PlatformError | None = None
        self._platform = platform
        self._clock = clock
        self._pause = pause
        self._left = LOOKS
        self._until: datetime = clock() + LONGEST
        self._failures = 0

    @property
    def spent(self) -> bool:
        """Whether the rest is for the next round."""
        return self._left <= 0 or self._clock() >= self._until

    def state(self, task: HeldTask) -> PlatformState | None:
        """Where the task stands; None if that cannot be told now, which `failure` explains.

        Raises PlatformError when the platform fails again and again.
        """
        self._pause()
        self._left -= 1
        try:
            state = self._platform.look(task).state
        except PlatformError as error:
            self.fail(error)
            return None
        self._failures = 0
        return state

    def fail(self, failure: PlatformError) -> None:
        """Note that the platform did not answer as it should. Raises it if it is one too many."""
        self.failure = failure
        self._failures += 1
        if self._failures >= FAILURES:
            raise failure

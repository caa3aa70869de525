"""The retry policy: a pure function from a failure to how long to wait."""

from datetime import timedelta

from approval.failures import Failure

WAITS = [
    timedelta(seconds=1),
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
]
LONGEST = WAITS[-1]
SLOW = 3  # where in WAITS a failure starts that only the operator can mend


def wait_after(
    failure: Failure, attempts: int, age: timedelta, give_up_after: timedelta, chance: float
) -> timedelta | None:
    """How long to leave a job alone after its nth attempt; None to give it up.

    `age` is how long the job has been promised, `chance` (0 to 1) spreads the waits so
    that many jobs do not come back at once (full jitter).
    """
    if failure.permanent or age >= give_up_after:
        return None
    if failure.retry_after is not None:
        # Whoever asks for more than an hour is asked again in between.
        return min(max(failure.retry_after, WAITS[0]), LONGEST)
    step = attempts - 1 + (SLOW if failure.alert else 0)
    return WAITS[min(step, len(WAITS) - 1)] * chance


def wait_of_round(failure: Failure, attempts: int, every: timedelta, chance: float) -> timedelta:
    """How long to leave alone what is done again and again: never for good, and seldom longer."""
    wait = wait_after(failure, attempts, timedelta(), timedelta.max, chance)
    if wait is None:
        return every
    return wait if failure.retry_after is not None else min(wait, every)

"""How tests wait for what others do."""

import time
from collections.abc import Callable


def wait_until(found: Callable[[], object], timeout: float = 60.0) -> object:
    """Wait for something to become true; returns it.

    `timeout` only says when it will not come any more: a busy machine is not a failure.
    """
    deadline = time.monotonic() + timeout
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return value

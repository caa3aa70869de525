"""Between two batches of a command."""

import time

PAUSE = 0.01  # seconds


def pause() -> None:
    """Let a gate beside it have its turn to write."""
    time.sleep(PAUSE)

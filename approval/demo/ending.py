"""The end of the demo, asked for from outside."""

import signal
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Ended(BaseException):
    """Raised in the main thread, wherever it is, if somebody wants the demo to end.

    Not an Exception: nothing on the way is meant to catch it.
    """


def end_when_asked() -> None:
    """Turn signals into Ended, so that every `with` block is left as usual."""
    for number in SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> None:
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)  # the impatient must not cut the tidying up short
    raise Ended

"""Runs a module that ends with whoever started it: `python -m approval.demo.leash MODULE ...`.

The leash is a pipe to standard input. The system closes it when the holder ends, be it by
`kill -9`, so nothing has to be cleaned up by a process that is no more.
"""

import os
import runpy
import signal
import sys
import threading


def _end_with_the_holder() -> None:
    # Not sys.stdin: its lock, held by a waiting thread, breaks the end of the interpreter.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_holder, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)

"""What only some gates need is installed apart: how, for whoever lacks it."""

import shlex
import sys


def how_to_install(extra: str) -> str:
    """What to do, for the Python that runs the gate."""
    install = f"{shlex.quote(sys.executable)} -m pip install '.[{extra}]'"
    return f"in the folder of the sources, where pyproject.toml lies: {install}"

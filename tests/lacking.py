"""What a test cannot do without, and this machine has not."""

import os
from typing import NoReturn

import pytest


def lacking(what: str) -> NoReturn:
    """End a test; `what` names the part and how to get it.

    A developer may go without; the build may not.
    """
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)

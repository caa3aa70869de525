"""The command line: the composition root, where the real objects are built."""

from approval.cli.commands import main

__all__ = ["main"]

"""Engines: when and where jobs run. SQL holds the truth with every engine."""

from collections.abc import Collection
from typing import Protocol


class Engine(Protocol):
    """Has jobs run, from its start until it is stopped."""

    def start(self) -> None:
        """Start working."""

    def wake(self, lanes: Collection[str]) -> None:
        """Say that jobs were added in these lanes; called after the commit, in any thread."""

    def stop(self, timeout: float) -> bool:
        """Finish what runs; says whether all of it ended within `timeout` seconds."""

    @property
    def alive(self) -> bool:
        """Whether it works."""

"""The ways to run the gate that are measured: each has a column of its own in the report."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from bench import stores


@contextmanager
def embedded() -> Iterator[str]:
    """The default engine, which needs nothing beside the gate and no settings."""
    yield ""


@dataclass(frozen=True)
class Setup:
    """A store, a process for each command, and the engine that does the work.

    `engine` runs what the engine needs beside the gate, and yields its sections of the settings.
    """

    title: str
    store: stores.Stores
    commands: Sequence[str] = ("serve",)
    engine: Callable[[], AbstractContextManager[str]] = embedded

    @property
    def several(self) -> bool:
        """Whether others can take over the work of a process that died."""
        return len(self.commands) > 1


SETUPS = {
    "sqlite": Setup("SQLite", stores.sqlite),
    "postgresql": Setup("PostgreSQL", stores.postgresql),
    "two-gates": Setup("PostgreSQL, two gates", stores.postgresql, ("serve", "serve")),
}

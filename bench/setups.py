"""The ways to run the gate that are measured: each has a column of its own in the report."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from approval.engine.temporal.checking import set_up
from approval.engine.temporal.settings import Temporal
from bench import stores
from tests.temporals import running


@contextmanager
def embedded() -> Iterator[str]:
    """The default engine, which needs nothing beside the gate and no settings."""
    yield ""


@contextmanager
def temporal() -> Iterator[str]:
    """A development server of Temporal's own that is set up, and flushes each commit as others do.

    The schedules of the rounds are made by the gate when it starts.
    """
    with TemporaryDirectory() as folder, running(Path(folder), synchronous="FULL") as server:
        section = Temporal(address=server.address)
        set_up(section, {}, lambda words: None)
        yield server.settings(section.task_queue)


@dataclass(frozen=True)
class Setup:
    """A store, a process for each command, and the engine that does the work.

    `engine` runs what the engine needs beside the gate, and yields its sections of the settings.
    `heirs` are commands of processes that are there only when one dies.
    """

    title: str
    store: stores.Stores
    commands: Sequence[str] = ("serve",)
    engine: Callable[[], AbstractContextManager[str]] = embedded
    heirs: Sequence[str] = ()

    @property
    def several(self) -> bool:
        """Whether it is always more than one process."""
        return len(self.commands) > 1

    @property
    def with_heirs(self) -> Self:
        """The same with its heirs."""
        return replace(self, commands=(*self.commands, *self.heirs), heirs=())


SETUPS = {
    "sqlite": Setup("SQLite", stores.sqlite),
    "postgresql": Setup("PostgreSQL", stores.postgresql),
    "two-gates": Setup("PostgreSQL, two gates", stores.postgresql, ("serve", "serve")),
    "temporal": Setup("PostgreSQL, Temporal", stores.postgresql, engine=temporal, heirs=["serve"]),
}

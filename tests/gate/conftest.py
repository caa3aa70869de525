from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from approval.store.database import Database
from tests.gate.faked import FakedGate, copy_opened, migrated


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrated(tmp_path_factory.mktemp("store") / "empty.db")


@pytest.fixture(scope="session")
def side_by_side() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


@pytest.fixture
def database(empty_store: Path, tmp_path: Path) -> Iterator[Database]:
    with copy_opened(empty_store, tmp_path) as database:
        yield database


@pytest.fixture
def make_gate(database: Database, side_by_side: ThreadPoolExecutor) -> Callable[..., FakedGate]:
    return lambda **changes: FakedGate(database, side_by_side, **changes)


@pytest.fixture
def gate(make_gate: Callable[..., FakedGate]) -> FakedGate:
    return make_gate()

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from approval.store.database import Database
from tests import stores
from tests.gate.faked import FakedGate
from tests.stores import Store


@pytest.fixture(scope="session")
def side_by_side() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store with all tables."""
    with stores.lent(tmp_path) as store:
        yield store


@pytest.fixture
def database(store: Store) -> Iterator[Database]:
    with stores.opened(store) as database:
        yield database


@pytest.fixture
def make_gate(database: Database, side_by_side: ThreadPoolExecutor) -> Callable[..., FakedGate]:
    return lambda **changes: FakedGate(database, side_by_side, **changes)


@pytest.fixture
def gate(make_gate: Callable[..., FakedGate]) -> FakedGate:
    return make_gate()

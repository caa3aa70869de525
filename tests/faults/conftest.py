from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from approval.store.database import Database
from tests.faults import ways
from tests.faults.ways import Outside, Way
from tests.gate.conftest import database, side_by_side, store

__all__ = ["database", "side_by_side", "store"]


@pytest.fixture(scope="package")
def outside() -> Iterator[Outside]:
    with ways.outside() as outside:
        yield outside


@pytest.fixture
def way(outside: Outside, database: Database, side_by_side: ThreadPoolExecutor) -> Iterator[Way]:
    with ways.way(outside, database, side_by_side) as way:
        yield way


# Where nothing but time shows that something is wrong, the gate gives up soon: on this one side
# only, so that a slow machine spoils nothing else.


@pytest.fixture
def hasty_calls(
    outside: Outside, database: Database, side_by_side: ThreadPoolExecutor
) -> Iterator[Way]:
    with ways.way(outside, database, side_by_side, calls=ways.HASTY) as way:
        yield way


@pytest.fixture
def hasty_mails(
    outside: Outside, database: Database, side_by_side: ThreadPoolExecutor
) -> Iterator[Way]:
    with ways.way(outside, database, side_by_side, mails=ways.HASTY) as way:
        yield way

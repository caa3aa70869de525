"""The short form of `make load`: every trouble once, while people and platform go on."""

import pytest

from tests.load.run import run
from tests.load.troubles import TROUBLES

SECONDS = 13.0
GROWTH = 25.0  # MB of the last third over the middle one; caches are still filling


@pytest.fixture(scope="module")
def result():
    turn = SECONDS / (len(TROUBLES) + 0.5)
    return run(SECONDS, length=0.8 * turn, calm=0.2 * turn, seed=1)


def test_nothing_goes_wrong_under_load_but_what_is_made_to(result):
    assert result.wrong == []


def test_everything_was_asked_and_every_trouble_befell_it(result):
    assert {spell.trouble for spell in result.spells} == set(TROUBLES)
    assert result.failed > 0
    assert result.tasks > 0
    assert len(result.ledger.statuses) == 9


def test_memory_files_and_threads_stay_as_they_are(result):
    assert result.gauge.trend("memory").growth < GROWTH
    assert abs(result.gauge.trend("files").growth) < 30
    assert result.gauge.trend("threads").growth <= 8

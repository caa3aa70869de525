"""So many in a time for each of many."""

from datetime import timedelta

import pytest

from approval.allowance import KEPT, NO_WAIT, Allowance
from tests.fakes import NOW

MINUTE = timedelta(minutes=1)


def taken(allowance, now, times, key="a"):
    return [allowance.take(key, now) for _ in range(times)]


def test_what_is_allowed_is_had_at_once_and_more_waits_for_the_end_of_the_time():
    allowance = Allowance(2, MINUTE)
    assert taken(allowance, NOW, 2) == [NO_WAIT, NO_WAIT]
    assert allowance.take("a", NOW + MINUTE / 4) == MINUTE * 3 / 4
    assert taken(allowance, NOW + MINUTE, 3) == [NO_WAIT, NO_WAIT, MINUTE]


def test_each_has_an_allowance_of_their_own():
    allowance = Allowance(1, MINUTE)
    assert [allowance.take(key, NOW) for key in "abab"] == [NO_WAIT, NO_WAIT, MINUTE, MINUTE]


def test_asking_how_long_to_wait_costs_nothing():
    allowance = Allowance(1, MINUTE)
    assert [allowance.wait("a", NOW) for _ in range(3)] == [NO_WAIT] * 3
    allowance.take("a", NOW)
    assert allowance.wait("a", NOW) == MINUTE
    assert allowance.wait("b", NOW) == NO_WAIT


def test_what_is_given_back_can_be_taken_again():
    allowance = Allowance(1, MINUTE)
    allowance.take("a", NOW)
    allowance.give_back("a", NOW)
    assert taken(allowance, NOW, 2) == [NO_WAIT, MINUTE]


def test_giving_back_more_than_was_taken_earns_nothing():
    allowance = Allowance(1, MINUTE)
    allowance.give_back("a", NOW)
    assert taken(allowance, NOW, 2) == [NO_WAIT, MINUTE]


@pytest.mark.parametrize("times", [0, 1, 5000])
def test_zero_is_no_limit(times):
    assert set(taken(Allowance(0, MINUTE), NOW, times)) <= {NO_WAIT}


def test_of_more_keys_than_are_kept_the_longest_unseen_is_forgotten():
    allowance = Allowance(1, MINUTE)
    for number in range(KEPT + 1):
        allowance.take(str(number), NOW)
    assert allowance.take("0", NOW) == NO_WAIT
    assert allowance.take(str(KEPT), NOW) == MINUTE

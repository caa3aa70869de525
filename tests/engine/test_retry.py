from datetime import timedelta

import pytest

from approval.engine.retry import wait_after
from approval.failures import Failure

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)


def wait(attempts=1, *, age=timedelta(), give_up_after=3 * DAY, chance=1.0, **failure):
    return wait_after(Failure("no", **failure), attempts, age, give_up_after, chance)


@pytest.mark.parametrize(
    ("attempts", "longest"),
    [
        (1, SECOND),
        (2, 5 * SECOND),
        (3, 30 * SECOND),
        (4, 2 * MINUTE),
        (5, 10 * MINUTE),
        (6, 30 * MINUTE),
        (7, HOUR),
        (8, HOUR),
        (1000, HOUR),
    ],
)
def test_waits_grow_from_a_second_to_an_hour(attempts, longest):
    assert wait(attempts) == longest


@pytest.mark.parametrize(
    ("attempts", "longest"),
    [(1, 2 * MINUTE), (2, 10 * MINUTE), (3, 30 * MINUTE), (4, HOUR), (5, HOUR), (1000, HOUR)],
)
def test_what_only_the_operator_can_mend_starts_slowly(attempts, longest):
    assert wait(attempts, alert=True) == longest


@pytest.mark.parametrize("chance", [0.0, 0.25, 0.5, 0.999])
@pytest.mark.parametrize("attempts", [1, 4, 9])
def test_waits_are_spread_over_all_of_their_length(attempts, chance):
    assert wait(attempts, chance=chance) == wait(attempts) * chance


@pytest.mark.parametrize("age", [timedelta(), DAY])
@pytest.mark.parametrize("retry_after", [None, MINUTE])
def test_a_permanent_failure_is_given_up_at_once(age, retry_after):
    assert wait(permanent=True, age=age, retry_after=retry_after) is None


@pytest.mark.parametrize(
    ("age", "given_up"),
    [
        (timedelta(), False),
        (3 * DAY - SECOND, False),
        (3 * DAY, True),
        (4 * DAY, True),
    ],
)
@pytest.mark.parametrize("failure", [{}, {"alert": True}, {"retry_after": MINUTE}], ids=str)
def test_a_job_is_given_up_when_it_has_been_promised_for_too_long(age, given_up, failure):
    assert (wait(age=age, **failure) is None) is given_up


def test_the_operator_chooses_what_too_long_is():
    assert wait(age=MINUTE, give_up_after=MINUTE) is None
    assert wait(age=5 * DAY, give_up_after=6 * DAY) is not None


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        (-HOUR, SECOND),
        (timedelta(), SECOND),
        (SECOND / 2, SECOND),
        (SECOND, SECOND),
        (90 * SECOND, 90 * SECOND),
        (HOUR, HOUR),
        (HOUR + SECOND, HOUR),
        (365 * DAY, HOUR),
        (timedelta.max, HOUR),
    ],
)
def test_the_other_side_is_left_alone_as_it_asked_within_a_second_and_an_hour(asked, waited):
    assert wait(retry_after=asked, chance=0.5) == waited


def test_being_asked_to_wait_goes_before_the_steps():
    assert wait(1000, retry_after=MINUTE, alert=True) == MINUTE

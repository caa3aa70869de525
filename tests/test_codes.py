"""Codes: whose they are, by which key, and how they may be typed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval.codes import ALPHABET, Codes, is_code
from approval.samples import BOB

OLD, NEW = "the-old-key-of-22-characters", "the-new-key-of-22-characters"


@given(number=st.integers(1, 2**62))
def test_a_code_is_six_signs_that_look_like_no_other(number):
    code = Codes([NEW]).code(replace(BOB, id=number))
    assert is_code(code)
    assert set(code) <= set(ALPHABET + " ")
    assert not set("01OI") & set(code)


def test_the_newest_key_makes_the_code_and_all_know_it():
    old, both, new = Codes([OLD]), Codes([OLD, NEW]), Codes([NEW])
    assert both.code(BOB) == new.code(BOB) != old.code(BOB)
    assert both.fits(BOB, old.code(BOB))
    assert not new.fits(BOB, old.code(BOB))


@pytest.mark.parametrize("change", [{"id": 2}, {"request_id": "another"}])
def test_a_code_fits_one_person_of_one_request(change):
    codes = Codes([NEW])
    assert not codes.fits(replace(BOB, **change), codes.code(BOB))


@given(typed=st.text(max_size=20))
def test_nothing_else_fits(typed):
    codes = Codes([NEW])
    bare = "".join(typed.split()).replace("-", "").upper()
    assert codes.fits(BOB, typed) == (bare == codes.code(BOB).replace(" ", ""))

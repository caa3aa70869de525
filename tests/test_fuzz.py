"""The targets of the fuzzer keep what they were found with, and the fuzzer finds what is wrong."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.targets import SEEDS, TARGETS
from tests.lacking import lacking

PLANTED = """
from pathlib import Path
from tests.fuzz.__main__ import run
import atheris

@atheris.instrument_func
def target(data):
    if data[:1] == b"b":
        if data[1:2] == b"u":
            assert data[2:3] != b"g"

run(target, [b"b"], 20, Path("found"))
"""


@pytest.mark.parametrize(
    ("name", "seed"), [(name, seed) for name, seeds in SEEDS.items() for seed in seeds]
)
def test_what_was_found_once_is_borne(name, seed):
    TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_borne(name):
    given(st.binary(max_size=300))(TARGETS[name])()


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_that_are_changed_in_one_place_are_borne(name):
    changed = st.builds(
        lambda seed, place, byte: seed[: place % len(seed)] + byte + seed[place % len(seed) + 1 :],
        st.sampled_from(SEEDS[name]),
        st.integers(0, 10_000),
        st.binary(max_size=3),
    )
    given(changed)(TARGETS[name])()


def test_the_fuzzer_finds_a_fault_that_was_planted_and_says_so_by_its_status(tmp_path):
    if find_spec("atheris") is None:
        lacking("atheris is missing: pip install 'approval[fuzz]'")
    (tmp_path / "planted.py").write_text(PLANTED)
    ended = subprocess.run(
        [sys.executable, "planted.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        timeout=60,
    )
    assert ended.returncode != 0
    [crash] = (tmp_path / "found").glob("crash-*")
    assert crash.read_bytes()[:3] == b"bug"

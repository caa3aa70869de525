"""Exports of the audit trail: what a spreadsheet makes of them, and that they can be read back."""

import csv
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval.audit import export
from approval.audit.chain import Event

EVENT = {
    "request_id": "ab" * 16,
    "at": datetime(2026, 5, 4, 9, 0, tzinfo=UTC),
    "kind": "asked",
    "task_id": None,
    "salt": b"0123456789abcdef",
    "digest": b"d" * 32,
    "hash": b"h" * 32,
}
BEGINNINGS = ["=", "+", "-", "@", "\t", "\r", "\n", "'", "'=", "''=", "a", ""]


def telling(*texts):
    return [Event(id=i, position=i, text=text, **EVENT) for i, text in enumerate(texts, 1)]


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(beginning):
    lines = export.comma_separated(telling(f'{beginning}HYPERLINK("http://evil.example","Bea")'))
    [_, *cells] = csv.reader(lines)
    assert [cell for row in cells for cell in row if cell.startswith(beginning)] == []


def test_other_texts_stand_there_as_they_are():
    lines = export.comma_separated(telling("by Bea: fine", "'quoted' already", "a = b"))
    texts = [row["text"] for row in csv.DictReader(lines)]
    assert texts == ["by Bea: fine", "'quoted' already", "a = b"]


@pytest.mark.parametrize("form", [export.jsonl, export.comma_separated])
@given(
    st.lists(st.builds(str.__add__, st.sampled_from(BEGINNINGS), st.text()), min_size=1, max_size=4)
)
def test_what_is_read_back_is_what_was_written(form, texts):
    events = telling(*texts)
    assert list(export.read(form(events))) == events

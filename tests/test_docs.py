"""The documents name what is there, and the table of the requirements leaves none out."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SECURITY = (ROOT / "docs/security.md").read_text("utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
REQUIREMENTS = [
    *(f"M{number}" for number in range(1, 37)),
    *(f"S{number}" for number in range(1, 17)),
]
# The requirement in a sentence, how it is met, and what would fail if it were not.
ROW = re.compile(r"^\| \*\*(\w+)\*\* (.+?) \| (.+?) \| (.+?) \|$", re.M)
NAMED = re.compile(r"`((?:approval|bench|docs|templates|tests)/[\w./-]+)((?:::\w+)*)`")

ROWS = {item: texts for item, *texts in ROW.findall(SECURITY)}
PLACES = sorted({place for file in DOCUMENTS for place in NAMED.findall(file.read_text("utf-8"))})


def defined(file: Path) -> set[str]:
    """The functions and classes of a module, methods as Class::method."""
    found = set()
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = [one for one in node.body if isinstance(one, ast.FunctionDef)]
            found |= {f"{node.name}::{method.name}" for method in methods}
    return found


def test_every_requirement_has_one_row_and_they_are_in_order():
    assert [item for item, *_ in ROW.findall(SECURITY)] == REQUIREMENTS


@pytest.mark.parametrize("item", REQUIREMENTS)
def test_a_row_says_what_is_wanted_how_it_is_met_and_what_would_fail(item):
    wanted, how, tests = ROWS[item]
    assert wanted.endswith(".")
    assert how.endswith(".")
    assert [file for file, _ in NAMED.findall(tests) if file.startswith("tests/")]


@pytest.mark.parametrize(("file", "name"), PLACES, ids="".join)
def test_what_a_document_names_exists(file, name):
    assert (ROOT / file).exists()
    if name:
        assert name.removeprefix("::") in defined(ROOT / file)

"""What files for operators name exists: commands, settings and credentials."""

import re
from pathlib import Path

import click
import pytest

from approval.cli import main
from approval.config import SECTIONS
from tests.deploy.fronts import DEPLOY

ROOT = DEPLOY.parent
FILES = [ROOT / "README.md", *sorted(file for file in DEPLOY.rglob("*") if file.is_file())]
VARIABLE = re.compile(r"\bAPPROVAL_([A-Z0-9]+)__([A-Z0-9_]+)\b")
# As people read it in running text, and type it.
COMMAND = re.compile(r"(?:[`']|/bin/|^)approval ([a-z][a-z -]*[a-z])\b", re.M)
pytestmark = pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))


def keys(section: str) -> set[str]:
    model = SECTIONS[section]
    return {info.alias or name for name, info in model.model_fields.items()}


def test_every_variable_sets_something(file: Path):
    for section, key in VARIABLE.findall(file.read_text("utf-8")):
        known = keys(section.lower())
        assert key.lower() in known or key.lower().removesuffix("_file") in known, key


def test_every_command_can_be_given(file: Path):
    for words in map(str.split, COMMAND.findall(file.read_text("utf-8"))):
        assert_is_command(words)


def assert_is_command(words: list[str]) -> None:
    """Fails unless `approval` has this command, whose own words may follow."""
    command: click.Command = main
    for word in words:
        if not isinstance(command, click.Group):
            break
        assert word in command.commands, f"approval {' '.join(words)}"
        command = command.commands[word]

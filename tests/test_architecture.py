"""Imports point one way. This is the order, and what may know what."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import approval

PACKAGE = Path(approval.__file__).parent

# From the top. A part may import the parts below its line, and nothing beside it.
LAYERS = [
    ["cli", "demo", "wsgi"],  # build the rest, so these may know each other
    ["config"],
    ["web", "engine", "logs"],
    ["gate", "metrics"],
    ["store", "mail", "links", "codes", "rendering", "platforms"],
    ["decisions", "wording", "samples", "audit", "section"],
    [
        "model",
        "failures",
        "clock",
        "allowance",
        "deadline",
        "nearest",
        "findings",
        "addresses",
        "extras",
    ],
]
BUILDERS = LAYERS[0]
ENTRY = "__main__"  # python -m approval


def part_of(module: str) -> str:
    """The part of the product that a module belongs to: its package, or itself."""
    return module.split(".")[1] if "." in module else module


def module_name(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(file: Path) -> Iterator[str]:
    """The full names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def own_imports(file: Path) -> set[str]:
    """The parts of the product that a file imports, its own left out."""
    own = part_of(module_name(file))
    found = {part_of(name) for name in imports(file) if name.startswith("approval.")}
    return found - {own, "__version__"}


FILES = {module_name(file): file for file in sorted(PACKAGE.rglob("*.py"))}
PARTS = {part_of(module) for module in FILES} - {"approval", ENTRY}
MODULES = [name for name in FILES if part_of(name) in PARTS]


def level(part: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if part in layer)


def test_every_part_has_its_place_in_the_order():
    assert {part for layer in LAYERS for part in layer} == PARTS


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_lies_below_it(module):
    part = part_of(module)
    beside = BUILDERS if part in BUILDERS else []
    wrong = {
        other
        for other in own_imports(FILES[module])
        if level(other) <= level(part) and other not in beside
    }
    assert wrong == set()


def test_the_rules_know_only_the_standard_library_and_the_model():
    known = {name.split(".")[0] for name in imports(FILES["approval.decisions"])} - {"approval"}
    assert known <= sys.stdlib_module_names
    assert own_imports(FILES["approval.decisions"]) == {"model"}


def test_the_model_knows_only_the_standard_library():
    known = {name.split(".")[0] for name in imports(FILES["approval.model"])}
    assert known <= sys.stdlib_module_names


@pytest.mark.parametrize("built", ["cli", "config"])
def test_only_who_builds_reads_the_settings_or_the_command_line(built):
    users = {part_of(name) for name in MODULES if built in own_imports(FILES[name])}
    assert users <= set(BUILDERS)


@pytest.mark.parametrize("framework", ["flask", "waitress", "werkzeug"])
def test_only_the_web_and_who_serves_know_the_web_framework(framework):
    users = {
        part_of(name)
        for name in MODULES
        if any(found.split(".")[0] == framework for found in imports(FILES[name]))
    }
    assert users <= {"web", *BUILDERS}


def test_only_the_platforms_speak_http_to_the_outside():
    users = {
        part_of(name)
        for name in MODULES
        if any(found.split(".")[0] == "requests" for found in imports(FILES[name]))
    }
    assert users <= {"platforms", *BUILDERS}


def test_only_its_engine_and_who_sets_it_up_know_temporal():
    users = {
        name
        for name in MODULES
        if any(found.split(".")[0] == "temporalio" for found in imports(FILES[name]))
    }
    assert {name for name in users if not name.startswith("approval.engine.temporal.")} == {
        "approval.cli.temporal"
    }


def test_what_temporal_runs_in_its_sandbox_knows_nothing_of_the_gate():
    assert own_imports(FILES["approval.engine.temporal.workflow"]) == set()


def test_only_the_registry_knows_a_platform_by_name():
    users = {
        name
        for name in MODULES
        if part_of(name) not in BUILDERS
        and not name.startswith("approval.platforms.abiquo")
        and any(found.startswith("approval.platforms.abiquo") for found in imports(FILES[name]))
    }
    assert users == {"approval.platforms.registry"}

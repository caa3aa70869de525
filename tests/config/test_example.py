"""The example file: every key explained, and true."""

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

from approval.config import SECTIONS, examine, load
from approval.config.example import EXAMPLES

FILE = Path(__file__).parents[2] / "workflow.cfg.example"
TEXT = FILE.read_text("utf-8")
KEYS = [
    (section, info.alias or name)
    for section, model in SECTIONS.items()
    for name, info in model.model_fields.items()
]
IDS = [f"{section} {key}" for section, key in KEYS]


def section_of(name):
    """The lines of one section."""
    return TEXT.partition(f"\n[{name}]\n")[2].partition("\n[")[0].splitlines()


def loaded(tmp_path, text):
    file = tmp_path / "workflow.cfg"
    file.write_text(text, "utf-8")
    return load(file, {})


def test_it_is_what_the_command_prints():
    command = [sys.executable, "-m", "approval", "settings"]
    assert subprocess.run(command, capture_output=True, check=True).stdout.decode() == TEXT


def test_it_loads_and_lacks_nothing_but_what_differs_with_every_site(tmp_path):
    named = [warning.split()[1] for warning in loaded(tmp_path, TEXT).warnings]
    assert named == ["callback_from", "trusted_proxies", "callback_secret"]


def test_every_section_stands_in_it_and_no_other():
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(TEXT)
    assert parser.sections() == list(SECTIONS)


@pytest.mark.parametrize(("section", "key"), KEYS, ids=IDS)
def test_every_key_stands_in_it_once_with_an_explanation(section, key):
    lines = section_of(section)
    places = [n for n, line in enumerate(lines) if re.match(rf"#?{key} =", line)]
    assert len(places) == 1
    assert re.match(r"# \w", lines[places[0] - 1])


@pytest.mark.parametrize(("section", "key"), KEYS, ids=IDS)
def test_a_key_is_commented_out_unless_it_has_to_be_set(section, key):
    commented = f"#{key} =" in "\n".join(section_of(section))
    assert commented is (key not in EXAMPLES)


@pytest.mark.parametrize(("section", "key"), KEYS, ids=IDS)
def test_taking_the_comment_sign_off_a_key_changes_nothing(tmp_path, section, key):
    lines = TEXT.splitlines()
    start = lines.index(f"[{section}]")
    place = next(n for n in range(start, len(lines)) if re.match(rf"#?{key} =", lines[n]))
    lines[place] = lines[place].removeprefix("#")
    assert loaded(tmp_path, "\n".join(lines)) == loaded(tmp_path, TEXT)


WITHOUT_DEFAULT = [
    pytest.param(section, info.alias or name, info, id=f"{section} {info.alias or name}")
    for section, model in SECTIONS.items()
    for name, info in model.model_fields.items()
    if f"#{info.alias or name} =" in section_of(section)
]
SECRETS = [each for each in WITHOUT_DEFAULT if "Secret" in str(each.values[2].annotation)]
PLAIN = [each for each in WITHOUT_DEFAULT if each not in SECRETS]


def comment_of(section, key):
    """What stands above a key, on one line."""
    above = "\n".join(section_of(section)).partition(f"\n#{key} =")[0].rpartition("\n\n")[2]
    return above.replace("\n#", "")


def given(tmp_path, section, setting):
    """The problems of the example file with one more setting."""
    file = tmp_path / "workflow.cfg"
    file.write_text(TEXT.replace(f"[{section}]\n", f"[{section}]\n{setting}\n"), "utf-8")
    return examine(file, {}).problems


@pytest.mark.parametrize(("section", "key", "info"), PLAIN)
def test_a_key_without_default_has_an_example_that_will_do(tmp_path, section, key, info):
    [example] = info.examples
    assert re.search(rf"( as |For example: {key} = ){re.escape(example)}", comment_of(section, key))
    for problem in given(tmp_path, section, f"{key} = {example}"):
        assert "No such file or directory" in problem


@pytest.mark.parametrize(("section", "key", "info"), SECRETS)
def test_the_example_of_a_secret_says_where_it_lies_and_not_what_it_is(
    tmp_path, section, key, info
):
    setting = f"{key}_file = /run/secrets/{key}"
    assert comment_of(section, key).endswith(f"For example: {setting}")
    [problem] = given(tmp_path, section, setting)
    assert problem.startswith(f"[{section}] {key}_file: /run/secrets/{key} cannot be read")

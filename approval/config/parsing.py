"""The text of the settings file, or one line that says what is wrong with it."""

import configparser
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

Stop = (
    configparser.DuplicateOptionError
    | configparser.DuplicateSectionError
    | configparser.MissingSectionHeaderError
)
STOPS = Stop.__args__
ASIDE = "\0"  # a sign that nobody writes, in names of what was put aside


class ConfigError(Exception):
    """Raised if the settings cannot be used; `problems` names each with section, key and cure."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


class Mistake(NamedTuple):
    """What is wrong with a line, and the section and the keys that are not known because of it."""

    text: str
    section: str = ""
    keys: tuple[str, ...] = ()


def parse(file: Path) -> tuple[configparser.ConfigParser, list[Mistake]]:
    """What can be read of the file, and the lines that cannot. Raises ConfigError if none can."""
    lines = _text(file).split("\n")
    mistakes: list[Mistake] = []
    while True:
        parser = configparser.ConfigParser(interpolation=None)  # a password may contain %
        try:
            parser.read_file(lines, str(file))
        except STOPS as error:
            mistakes.append(_put_aside(lines, error))
            continue
        except configparser.ParsingError as error:  # the rest was read
            mistakes += _no_settings(lines, error)
        _tidy(parser)
        return parser, mistakes


def _text(file: Path) -> str:
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        cure = f"name yours with --config, or start with: approval settings > {file}"
        raise ConfigError([f"{file}: there is no such file; {cure}"]) from error
    except IsADirectoryError as error:
        cure = f"name a file, as {file / 'workflow.cfg'}"
        raise ConfigError([f"{file}: is a folder; {cure}"]) from error
    except OSError as error:
        cure = "let the gate's account read it"
        raise ConfigError([f"{file}: cannot be read: {error.strerror}; {cure}"]) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{file}, line {line}: is not UTF-8; save it as UTF-8"]) from error
    before, aside, _ = text.partition(ASIDE)
    if aside:
        line = before.count("\n") + 1
        raise ConfigError([f"{file}, line {line}: holds a NUL; save it as UTF-8"])
    return text


def _put_aside(lines: list[str], error: Stop) -> Mistake:
    """Take what stops the parser out of its way."""
    place, index = f"{error.source}, line {error.lineno}", (error.lineno or 1) - 1
    indent = lines[index].removesuffix(lines[index].lstrip())
    if isinstance(error, configparser.DuplicateOptionError):
        lines[index] = f"{indent}{ASIDE}{index} ="  # a key, for what may be indented below it
        section = error.section.partition(ASIDE)[0]
        what = f"[{section}] {error.option}: is set twice; keep one of the two"
        return Mistake(f"{place}: {what}", section, (error.option,))
    if isinstance(error, configparser.DuplicateSectionError):
        lines[index] = f"{indent}[{error.section}{ASIDE}{index}]"
        what = f"[{error.section}]: begins twice; put its keys together"
        return Mistake(f"{place}: {what}", error.section)
    first = next((n for n, line in enumerate(lines) if _heading(line)), len(lines))
    lines[:first] = [""] * first
    return Mistake(f"{place}: belongs to no section; put [server] or another above")


def _no_settings(lines: list[str], error: configparser.ParsingError) -> Iterator[Mistake]:
    """What stands there is not repeated: it may be a secret."""
    for section, wrong in groupby(error.errors, lambda each: _section_of(lines[: each[0]])):
        numbers = [number for number, _ in wrong]
        place = f"{error.source}, line {', '.join(map(str, numbers))}"
        keys = (word for n in numbers for word in lines[n - 1].lower().split()[:1])
        yield Mistake(f"{place}: is no setting; write it as key = value", section, tuple(keys))


def _section_of(lines: list[str]) -> str:
    """The section in which the last of these lines stands."""
    return next(filter(None, map(_heading, reversed(lines))), "").partition(ASIDE)[0]


def _heading(line: str) -> str:
    """The section that begins with this line; nothing if none does."""
    found = configparser.ConfigParser.SECTCRE.match(line.strip())
    return found["header"] if found else ""


def _tidy(parser: configparser.ConfigParser) -> None:
    """Put together what belongs together, and forget what was put aside."""
    for part in parser.sections():
        section, aside, _ = part.partition(ASIDE)
        if aside:
            parser.read_dict({section: dict(parser[part]) | dict(parser[section])})
            parser.remove_section(part)
    for proxy in parser.values():
        for key in [key for key in proxy if ASIDE in key]:
            del proxy[key]

"""The text of the settings file, or one line that says what is wrong with it."""

import configparser
from pathlib import Path


class ConfigError(Exception):
    """Raised if the settings cannot be used; `problems` names each with section, key and cure."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def parse(file: Path) -> configparser.ConfigParser:
    """Read the file. Raises ConfigError with one problem."""
    parser = configparser.ConfigParser(interpolation=None)  # a password may contain %
    try:
        parser.read_string(_text(file), str(file))
    except configparser.Error as error:
        raise ConfigError([_explain(file, error)]) from error
    return parser


def _text(file: Path) -> str:
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        cure = f"start with: approval settings > {file}"
        raise ConfigError([f"{file}: there is no such file; {cure}"]) from error
    except IsADirectoryError as error:
        cure = f"name a file, as {file / 'workflow.cfg'}"
        raise ConfigError([f"{file}: is a folder; {cure}"]) from error
    except OSError as error:
        cure = "let the gate's account read it"
        raise ConfigError([f"{file}: cannot be read: {error.strerror}; {cure}"]) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{file}, line {line}: is not UTF-8; save it as UTF-8"]) from error


def _explain(file: Path, error: configparser.Error) -> str:
    """File, line and cure. What stands in the line is not repeated: it may be a secret."""
    if isinstance(error, configparser.DuplicateOptionError):
        what = f"[{error.section}] {error.option}: is set twice; keep one of the two"
        return f"{file}, line {error.lineno}: {what}"
    if isinstance(error, configparser.DuplicateSectionError):
        what = f"[{error.section}]: begins twice; put its keys together"
        return f"{file}, line {error.lineno}: {what}"
    if isinstance(error, configparser.MissingSectionHeaderError):
        return f"{file}, line {error.lineno}: belongs to no section; put [server] or another above"
    if isinstance(error, configparser.ParsingError):
        lines = ", ".join(str(line) for line, _ in error.errors)
        return f"{file}, line {lines}: is no setting; write it as key = value"
    return f"{file}: cannot be read: {error}"

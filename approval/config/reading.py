"""Where settings come from: the file, the environment, and files that hold one secret."""

import configparser
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

# Keys of the tool of 2013 that have no meaning here, by section.
OUTDATED = {
    "server": {"response_template"},
    "mail": {
        "admin_template",
        "admin_vm_template",
        "admin_vm_storage_template",
        "requester_template",
        "requester_vm_template",
    },
}


class ConfigError(Exception):
    """Raised if the settings cannot be used; `problems` names each with section, key and cure."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass
class Sections:
    """Raw values by section and key, and what was odd about them."""

    values: dict[str, dict[str, str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_sections(
    file: Path, environment: Mapping[str, str], known: Mapping[str, type[BaseModel]]
) -> Sections:
    """Read the raw values; the environment wins over the file. Raises ConfigError."""
    sections = Sections()
    parser = _parse(file)
    for name in parser.sections():
        if name not in known:
            sections.problems.append(f"[{name}]: there is no such section{_meant(name, known)}")
    for name, model in known.items():
        written = dict(parser[name]) if parser.has_section(name) else {}
        values: dict[str, str] = {}
        for raw in (written, _from_environment(name, environment)):
            values |= _known_keys(name, raw, _keys(model), file.parent, sections)
        sections.values[name] = _beside(file.parent, values, _paths(model))
    return sections


def _parse(file: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)  # a password may contain %
    try:
        with file.open(encoding="utf-8-sig") as lines:
            parser.read_file(lines, str(file))
    except FileNotFoundError as error:
        raise ConfigError(
            [f"{file}: there is no such file; start with: approval settings > {file}"]
        ) from error
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise ConfigError([f"{file}: cannot be read: {error}"]) from error
    return parser


def _keys(model: type[BaseModel]) -> set[str]:
    return {info.alias or name for name, info in model.model_fields.items()}


def _paths(model: type[BaseModel]) -> set[str]:
    return {name for name, info in model.model_fields.items() if "Path" in str(info.annotation)}


def _beside(folder: Path, values: dict[str, str], paths: set[str]) -> dict[str, str]:
    """The values with relative paths made to lie beside the settings file."""
    return {
        key: str(folder.resolve() / value) if key in paths and value else value
        for key, value in values.items()
    }


def _from_environment(section: str, environment: Mapping[str, str]) -> dict[str, str]:
    """`APPROVAL_ABIQUO__API_PASSWORD` is `api_password` in `[abiquo]`."""
    prefix = f"APPROVAL_{section.upper()}__"
    return {
        name.removeprefix(prefix).lower(): value
        for name, value in environment.items()
        if name.startswith(prefix)
    }


def _known_keys(
    section: str, raw: Mapping[str, str], keys: set[str], folder: Path, sections: Sections
) -> dict[str, str]:
    """The values of known keys; `api_password_file` names a file that holds `api_password`."""
    values: dict[str, str] = {}
    for key, value in raw.items():
        if key in keys:
            values[key] = value
        elif key.endswith("_file") and key.removesuffix("_file") in keys:
            try:
                text = (folder / value).read_text(encoding="utf-8")
                values[key.removesuffix("_file")] = text.strip()
                if not text.strip():
                    sections.problems.append(f"[{section}] {key}: {value} is empty")
            except (OSError, UnicodeDecodeError) as error:
                sections.problems.append(f"[{section}] {key}: cannot be read: {error}")
        elif key in OUTDATED.get(section, ()):
            sections.warnings.append(
                f"[{section}] {key} is not used any more; templates have files of their own, "
                "see [server] templates"
            )
        else:
            sections.problems.append(f"[{section}] {key}: there is no such key{_meant(key, keys)}")
    return values


def _meant(word: str, known: object) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)  # type: ignore[call-overload] # any iterable of words
    return f"; did you mean {close[0]}?" if close else ""

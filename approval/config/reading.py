"""Where settings come from: the file, the environment, and files that hold one secret."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from approval.config.parsing import parse
from approval.nearest import did_you_mean

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


@dataclass
class Sections:
    """Raw values by section and key, and what was odd about them.

    `keys` are those that each section may have; `sources` tells of each value that does not
    stand in the settings file where it does. `wrong` are the sections with a problem, and
    the keys whose value cannot be known because of it.
    """

    keys: Mapping[str, set[str]]
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    sources: dict[tuple[str, str], str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    wrong: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, text: str, section: str, *keys: str) -> None:
        """Tell a problem."""
        self.problems.append(text)
        self.wrong[section].update(keys, (key.removesuffix("_file") for key in keys))

    def place(self, section: str, key: str) -> str:
        """Where to look for a value: section and key, and what set it if not the file."""
        source = self.sources.get((section, key))
        return f"[{section}] {key}" + (f" (from {source})" if source else "")


def read_sections(
    file: Path, environment: Mapping[str, str], known: Mapping[str, type[BaseModel]]
) -> Sections:
    """Read the raw values; the environment wins over the file. Raises ConfigError."""
    sections = Sections({name: _keys(model) for name, model in known.items()})
    parser, mistakes = parse(file)
    for mistake in mistakes:
        sections.add(mistake.text, mistake.section, *mistake.keys)
    named = {f"[{name}]": name for name in parser.sections()} | _sections_of(environment)
    for place, name in named.items():
        if name not in known:
            sections.add(f"{place}: there is no such section{did_you_mean(name, known)}", name)
    _find_slips(environment, sections)
    for name, model in known.items():
        written = dict(parser[name]) if parser.has_section(name) else {}
        values = _known_keys(name, written, _keys(model), file.parent, sections)
        variables = _from_environment(name, environment)
        # Before the values are read, so that what is said about them names the variable.
        sections.sources |= {(name, key): variable for key, (variable, _) in variables.items()}
        set_there = {key: value for key, (_, value) in variables.items()}
        values |= _known_keys(name, set_there, _keys(model), file.parent, sections)
        sections.values[name] = _beside(file.parent, values, _paths(model))
    return sections


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


def _sections_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that set something, and in which section."""
    ours = re.compile("APPROVAL_([A-Z0-9_]+?)__.+")
    return {name: match[1].lower() for name in environment if (match := ours.fullmatch(name))}


def _find_slips(environment: Mapping[str, str], sections: Sections) -> None:
    """Variables that would set something with one more underscore."""
    for section, keys in sections.keys.items():
        for key in sorted(keys | {f"{key}_file" for key in keys}):
            short = f"APPROVAL_{section}_{key}".upper()
            # Kubernetes writes APPROVAL_SERVER_PORT=tcp://... for a service approval-server.
            if short in environment and not environment[short].startswith("tcp://"):
                meant = f"APPROVAL_{section}__{key}".upper()
                sections.add(f"{short}: sets nothing; did you mean {meant}?", section, key)


def _from_environment(section: str, environment: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Variables and their values: `APPROVAL_ABIQUO__API_PASSWORD` is `api_password`."""
    prefix = f"APPROVAL_{section.upper()}__"
    return {
        name.removeprefix(prefix).lower(): (name, value)
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
            values.setdefault(key, value)  # an empty one takes nothing away
        elif key.endswith("_file") and key.removesuffix("_file") in keys:
            if raw.get(key.removesuffix("_file")):
                sections.add(_twice(section, key, sections), section, key)
            values |= _from_file(section, key, folder / value, sections)
        elif key in OUTDATED.get(section, ()):
            sections.warnings.append(
                f"[{section}] {key} is not used any more; templates have files of their own, "
                "see [server] templates"
            )
        else:
            place = sections.place(section, key)
            cure = _of_another(key, sections) or did_you_mean(key, keys)
            sections.add(f"{place}: there is no such key{cure}", section, key)
    return values


def _of_another(key: str, sections: Sections) -> str:
    """The end of a sentence that names the sections that have such a key."""
    name = key.removesuffix("_file")
    others = [f"[{other}]" for other, keys in sections.keys.items() if {key, name} & keys]
    return f"; it is one of {' and '.join(others)}" if others else ""


def _twice(section: str, key: str, sections: Sections) -> str:
    place = sections.place(section, key.removesuffix("_file"))
    return f"{place}: is set twice, by {sections.place(section, key)} too; keep one of the two"


def _from_file(section: str, key: str, file: Path, sections: Sections) -> dict[str, str]:
    """The value in a file of its own; nothing, and a problem, if there is none."""
    place = sections.place(section, key)
    try:
        text = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        sections.add(f"{place}: {file} cannot be read: {error.strerror}", section, key)
        return {}
    except UnicodeDecodeError:
        sections.add(f"{place}: {file} is not UTF-8", section, key)
        return {}
    if not text:
        sections.add(f"{place}: {file} is empty", section, key)
    value_of = key.removesuffix("_file")
    sections.sources[section, value_of] = str(file)
    return {value_of: text}

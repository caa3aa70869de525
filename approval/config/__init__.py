"""Settings: `workflow.cfg`, the environment and secret files become one checked, frozen value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from humanize import precisedelta
from pydantic import ValidationError

from approval.config import exposure, guarding, storing
from approval.config.explaining import explain, swallowed
from approval.config.parsing import ConfigError
from approval.config.reading import Sections, read_sections
from approval.config.sections import Engine, Links, Mail, Policy, Server
from approval.engine.temporal.settings import Temporal
from approval.findings import Finding, Level, warning
from approval.platforms.registry import PLATFORMS
from approval.section import Rules, Section, is_secret, judged

__all__ = ["SECTIONS", "Config", "ConfigError", "Examined", "examine", "load"]

SECTIONS: dict[str, type[Section]] = {
    "server": Server,
    **{name: kind.settings for name, kind in PLATFORMS.items()},
    "mail": Mail,
    "links": Links,
    "policy": Policy,
    "engine": Engine,
    "temporal": Temporal,
}


@dataclass(frozen=True)
class Config:
    """All settings, checked; `platform` are those of the platform named `platform_name`.

    `sources` tells by section and key what set a value if not the file.
    """

    file: Path
    server: Server
    platform_name: str
    platform: Any
    mail: Mail
    links: Links
    policy: Policy
    engine: Engine
    temporal: Temporal
    sources: Mapping[tuple[str, str], str]
    warnings: tuple[str, ...]

    @property
    def public_url(self) -> str:
        """Where people reach the gate, without trailing slash."""
        return self.server.address

    @property
    def database(self) -> str:
        """The database's URL with its password; a relative file lies beside the settings."""
        return storing.address(self.server, self.file.parent.resolve())

    @property
    def shown_database(self) -> str:
        """The database's URL for people and logs: without its password."""
        return storing.shown(self.database)

    @property
    def database_file(self) -> Path | None:
        """The SQLite file; None if a PostgreSQL server keeps everything."""
        return storing.file_of(self.database)


@dataclass(frozen=True)
class Examined:
    """Settings, right or wrong: those of the sections that are `wrong` may lack keys."""

    config: Config
    problems: tuple[str, ...]
    wrong: frozenset[str]


def load(file: Path, environment: Mapping[str, str]) -> Config:
    """Read and check the settings. Raises ConfigError with every problem there is."""
    found = examine(file, environment)
    if found.problems:
        raise ConfigError(found.problems)
    return found.config


def examine(file: Path, environment: Mapping[str, str]) -> Examined:
    """Find every problem there is. Raises ConfigError if nothing can be read at all."""
    sections = read_sections(file, environment, SECTIONS)
    platform = _platform(sections)
    valid: dict[str, Any] = {
        name: _valid(sections, name, model)
        for name, model in SECTIONS.items()
        if name == platform or name not in PLATFORMS
    }
    config = Config(
        file=file,
        platform_name=platform,
        platform=valid[platform],
        sources=sections.sources,
        warnings=(),
        **{name: section for name, section in valid.items() if name not in PLATFORMS},
    )
    for name, rules in [*((name, one.rules()) for name, one in valid.items()), *_across(config)]:
        for finding in judged(rules):
            text = f"[{name}] {finding.text}"
            if finding.level is Level.PROBLEM:
                sections.add(text, name)
            else:
                sections.warnings.append(text)
    config = replace(config, warnings=tuple(sections.warnings))
    return Examined(config, tuple(sections.problems), frozenset(sections.wrong))


def _platform(sections: Sections) -> str:
    """The platform that this gate serves: the one whose section is filled in."""
    filled = [name for name in PLATFORMS if sections.values.get(name)]
    if len(filled) > 1:
        sections.add(
            f"[{filled[1]}]: one gate serves one platform; give this one a gate of its own",
            filled[1],
        )
    return filled[0] if filled else next(iter(PLATFORMS))


def _valid(sections: Sections, name: str, model: type[Section]) -> Section:
    """A section with the values that are right by themselves."""
    wrong = sections.wrong.get(name, set())
    written = {key: value for key, value in sections.values[name].items() if key not in wrong}
    try:
        section = model.model_validate(written)
    except ValidationError as error:
        for details in error.errors():
            key = str(details["loc"][0])
            words = explain(details, written[key])
            sections.add(f"{sections.place(name, key)}: {words}", name, key)
        return _valid(sections, name, model)
    for field, info in model.model_fields.items():
        key = info.alias or field
        if not is_secret(info) and (words := swallowed(written.get(key, ""))):
            sections.warnings.append(f"{sections.place(name, key)}: {words}")
    return section.without(wrong)


def _across(config: Config) -> Iterator[tuple[str, Rules]]:
    """Rules that take more than a section knows of itself, by the one that mends it."""
    yield "server", exposure.rules(config.server)
    yield "server", (exposure.links_in_clear_text(config.server, config.links),)
    yield "policy", (guarding.known(config.policy),)
    yield "links", (_outlast(config.links, config.policy),)
    yield "temporal", (_in_use(config.engine, config.temporal),)


def _outlast(links: Links, policy: Policy) -> Iterator[Finding]:
    if policy.decline_after is not None and links.valid < policy.decline_after:
        yield warning(
            f"valid_days = {links.valid_days}: links end before [policy] decline_after = "
            f"{precisedelta(policy.decline_after)} is over; make them last as long, or people "
            "need fresh ones to decide"
        )


def _in_use(engine: Engine, temporal: Temporal) -> Iterator[Finding]:
    if engine.kind == "temporal":
        yield from temporal.in_clear_text()

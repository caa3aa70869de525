"""Settings: `workflow.cfg`, the environment and secret files become one checked, frozen value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from humanize import precisedelta
from pydantic import BaseModel, ValidationError

from approval.config import guarding, storing
from approval.config.explaining import explain
from approval.config.exposure import open_doors
from approval.config.parsing import ConfigError
from approval.config.reading import Sections, read_sections
from approval.config.sections import Engine, Links, Mail, Policy, Server
from approval.config.values import CURE
from approval.engine.temporal.settings import Temporal
from approval.model import Action
from approval.platforms.registry import PLATFORMS
from approval.section import is_loopback

__all__ = ["SECTIONS", "Config", "ConfigError", "load"]

SECTIONS: dict[str, type[BaseModel]] = {
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
    """All settings, checked; `platform` are those of the platform named `platform_name`."""

    file: Path
    server: Server
    platform_name: str
    platform: Any
    mail: Mail
    links: Links
    policy: Policy
    engine: Engine
    temporal: Temporal
    warnings: tuple[str, ...]

    @property
    def public_url(self) -> str:
        """Where people reach the gate, without trailing slash."""
        return public_url(self.server)

    @property
    def database(self) -> str:
        """The database's URL with its password; a relative file lies beside the settings."""
        return storing.address(self.server, self.file.parent.resolve())

    @property
    def database_file(self) -> Path | None:
        """The SQLite file; None if a PostgreSQL server keeps everything."""
        return storing.file_of(self.database)


def load(file: Path, environment: Mapping[str, str]) -> Config:
    """Read and check the settings. Raises ConfigError with every problem there is."""
    sections = read_sections(file, environment, SECTIONS)
    problems = list(sections.problems)
    platform = _platform(sections.values, problems)
    models: dict[str, Any] = {}
    for name, model in SECTIONS.items():
        if name in PLATFORMS and name != platform:
            continue
        try:
            models[name] = model.model_validate(dict(sections.values.get(name, {})))
        except ValidationError as error:
            problems += [_problem(sections, name, details) for details in error.errors()]
    warnings = list(sections.warnings)
    if "server" in models:
        problems += storing.problems(models["server"])
        warnings += storing.warnings(models["server"])
    if "policy" in models:
        problems += guarding.problems(models["policy"])
    if "server" in models and "links" in models:
        problems += _exposed(models["server"], models["links"], warnings)
    if problems:
        raise ConfigError(problems)
    warnings += _warnings(models, platform)
    return Config(
        file=file,
        platform_name=platform,
        platform=models[platform],
        warnings=tuple(warnings),
        **{name: model for name, model in models.items() if name not in PLATFORMS},
    )


def _platform(values: Mapping[str, Mapping[str, str]], problems: list[str]) -> str:
    """The platform that this gate serves: the one whose section is filled in."""
    filled = [name for name in PLATFORMS if values.get(name)]
    if len(filled) > 1:
        problems.append(
            f"[{filled[1]}]: one gate serves one platform; give this one a gate of its own"
        )
    return filled[0] if filled else next(iter(PLATFORMS))


def public_url(server: Server) -> str:
    """The configured public URL, or the one that the 2013 keys make."""
    if server.public_url:
        return server.public_url.rstrip("/")
    host = server.hostname or server.bind_address
    return f"http://{host}:{server.port or server.bind_port}"


def _problem(sections: Sections, section: str, details: Any) -> str:
    """One problem with section, key and cure; a section as a whole names the key itself."""
    if not details["loc"]:
        return f"[{section}] {explain(details)}"
    return f"{sections.place(section, str(details['loc'][0]))}: {explain(details)}"


def _exposed(server: Server, links: Links, warnings: list[str]) -> list[str]:
    """What must not be open to a network; what may but should not goes to the warnings."""
    problems = []
    bound_to_loopback = is_loopback(server.bind_address)
    known = server.callback_secret or server.require_signature  # who calls
    if not known and not bound_to_loopback:
        problems.append(
            "[server] callback_secret: is required unless bind_address is a loopback address, "
            f"else anybody who reaches the gate can have managers mailed; {CURE}"
        )
    if not (server.public_url or server.hostname) and not bound_to_loopback:
        problems.append(
            "[server] public_url: is required unless bind_address is a loopback address; "
            "write the address under which people reach the gate, as https://gate.example.com"
        )
    url = urlsplit(public_url(server))
    reached_here = is_loopback(url.hostname or "")
    warnings += open_doors(server, bound_here=bound_to_loopback, reached_here=reached_here)
    if not known and not reached_here:
        warnings.append(
            "[server] callback_secret is not set: whoever reaches the public URL can have "
            f"managers mailed; {CURE}"
        )
    keys = {key.get_secret_value() for key in server.secret_key}
    if keys & {secret.get_secret_value() for secret in server.callback_secret}:
        problems.append(
            "[server] callback_secret: is a secret_key too, so the platform could sign links; "
            f"{CURE}"
        )
    if url.scheme == "http" and not reached_here:
        if server.public_url and not links.plain_http:
            problems.append(
                "[server] public_url: links decide, so they must not travel in clear text; "
                "use https://, or allow it with [links] plain_http = yes"
            )
        else:
            warnings.append(
                f"links lead to {url.scheme}://{url.netloc} and travel in clear text; "
                "put the gate behind HTTPS and set [server] public_url"
            )
    return problems


def _warnings(models: Mapping[str, Any], platform: str) -> list[str]:
    """What works but should not stay as it is."""
    found = [f"[{platform}] {text}" for text in models[platform].warnings()]
    if models["server"].default_action is Action.ACCEPT:
        found.append("[server] default_action = ACCEPT: what nobody can be asked about is accepted")
    if models["engine"].kind == "temporal":
        found += [f"[temporal] {text}" for text in models["temporal"].warnings()]
    if models["links"].one_click:
        found.append(
            "[links] one_click = yes: opening a link decides; mail scanners open every link"
        )
    if not models["links"].signed:
        found.append("[links] signed = no: whoever knows or guesses a task's id can decide it")
    found += guarding.warnings(models["policy"])
    found += _impatience(models["policy"], models["links"])
    if not models["mail"].operator:
        found.append("[mail] operator is not set: nobody is told by mail when something fails")
    return found


def _impatience(policy: Policy, links: Links) -> Iterator[str]:
    """What does not fit to the time that people have to decide."""
    if policy.decline_after is None:
        return
    end = precisedelta(policy.decline_after)
    if links.valid < policy.decline_after:
        yield (
            f"[links] valid_days = {links.valid_days}: links end before [policy] decline_after = "
            f"{end} is over; make them last as long, or people need fresh ones to decide"
        )
    late = [length for length in policy.remind_after if length >= policy.decline_after]
    if late and "remind_after" in policy.model_fields_set:
        yield (
            f"[policy] remind_after: {precisedelta(late[0])} is too late for a reminder, because "
            f"decline_after = {end}; leave it out"
        )

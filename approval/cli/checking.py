"""`approval check`: every mistake at once, and one try of store, platform and mail server."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from email.utils import parseaddr

import click

from approval import samples
from approval.cli import binding
from approval.cli.binding import NotBound
from approval.cli.completeness import lacks
from approval.cli.parts import build_platform, build_templates, build_transport
from approval.cli.store_findings import laid_open, store_findings
from approval.config import Config, Examined
from approval.findings import Finding, Level, problem, warning
from approval.mail.checking import check as check_mail
from approval.nearest import did_you_mean
from approval.rendering import TemplateError, Templates


def check(found: Examined) -> bool:
    """Print what is wrong and what was tried; says whether all that was tried is well."""
    config = found.config
    for text in found.problems:
        click.echo(f"{Level.PROBLEM:8} {text}")
    for text in (*config.warnings, *laid_open(config.file)):
        click.echo(f"{Level.WARNING:8} {text}")
    return all([_try(part, found) for part in _parts(config)])


@dataclass(frozen=True)
class Part:
    """What can be tried: by the first of its sections what is wrong with it can be mended."""

    name: str
    sections: tuple[str, ...]
    findings: Callable[[Config], Iterable[Finding]]


def _parts(config: Config) -> Iterator[Part]:
    platform = config.platform_name
    yield Part("address", ("server",), _address)
    yield Part("store", ("server",), store_findings)
    yield Part(platform, (platform,), _platform)
    yield Part("mail", ("mail",), _mail)
    yield Part("templates", ("server", platform), _templates)
    yield Part("temporal", ("temporal", "engine"), _temporal)


def _try(part: Part, found: Examined) -> bool:
    """Print what is found about a part, unless its settings are wrong."""
    if wrong := [f"[{section}]" for section in part.sections if section in found.wrong]:
        click.echo(f"left out {part.name}: mend {' and '.join(wrong)} first")
        return True
    findings = list(part.findings(found.config))
    for finding in findings:
        place = f"{part.name}: " if finding.level is Level.OK else f"[{part.sections[0]}] "
        click.echo(f"{finding.level:8} {place}{finding.text}")
    return all(finding.level is not Level.PROBLEM for finding in findings)


def _address(config: Config) -> list[Finding]:
    """Whether the gate can listen; nothing is said if it can."""
    try:
        binding.try_out(config)
    except NotBound as error:
        if error.taken and binding.gate_answers(config):
            return [warning(f"{error}, unless the gate that answers there is this one")]
        return [problem(str(error))]
    return []


def _platform(config: Config) -> list[Finding]:
    with closing(build_platform(config)) as platform:
        return platform.check()


def _mail(config: Config) -> list[Finding]:
    sender, operator = config.mail.sender, config.mail.operator
    with closing(build_transport(config)) as smtp:
        return check_mail(smtp, parseaddr(sender)[1], parseaddr(operator or "")[1] or None)


def _temporal(config: Config) -> list[Finding]:
    if config.engine.kind != "temporal":
        return []
    from approval.engine.temporal.checking import check as check_temporal

    return check_temporal(config.temporal)


def _templates(config: Config) -> list[Finding]:
    with closing(build_platform(config)) as platform:
        templates = build_templates(config, platform)
    idle = [
        warning(f"templates: {name} replaces nothing{did_you_mean(name, templates.built_in)}")
        for name in templates.idle()
    ]
    return [
        *idle,
        *(problem(f"templates: {broken}") for broken in dict.fromkeys(_broken(templates))),
    ]


def _broken(templates: Templates) -> Iterator[str]:
    """What is wrong with templates, each rendered with a sample."""
    for name, context in samples.renderings():
        try:
            text = templates.render(name, **context)
        except TemplateError as error:
            yield str(error)
        else:
            yield from (f"{name} {lack}" for lack in lacks(name, context, text))

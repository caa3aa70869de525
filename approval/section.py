"""What the sections of `workflow.cfg` have in common, the gate's own and those of platforms."""

import ipaddress
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr
from pydantic.fields import FieldInfo
from urllib3.util import parse_url

from approval.findings import Finding

MISSING = "is missing; it has no default"
Rules = tuple[Iterator[Finding], ...]


class Unknown(Exception):
    """Raised if a value is asked for that is wrong, so that nobody can say what it is to be."""


class Section(BaseModel):
    """A section: frozen, no unknown keys, no value in a message.

    Its fields judge one value each. All that takes more is a rule, also what has to be set.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True
    )

    def rules(self) -> Rules:
        """What else is to hold, each for itself; what they find begins with its key."""
        return ()

    def without(self, keys: Collection[str]) -> Self:
        """The same section; to ask it for one of these keys raises Unknown."""
        part = self.model_copy()
        for name, info in type(self).model_fields.items():
            if (info.alias or name) in keys:
                del part.__dict__[name]
        return part

    if not TYPE_CHECKING:  # else any name would do

        def __getattr__(self, name: str) -> Any:
            if name in type(self).model_fields:
                raise Unknown(name)
            return super().__getattr__(name)


def judged(rules: Iterable[Iterator[Finding]]) -> Iterator[Finding]:
    """What the rules find; a rule about a value that is unknown stays silent."""
    for rule in rules:
        with suppress(Unknown):
            yield from rule


def none_if_empty(value: Any) -> Any:
    """A key without a value is as good as none."""
    return None if isinstance(value, str) and not value.strip() else value


def _file(path: Path | None) -> Path | None:
    return _existing(path, stat.S_ISREG, "file")


def _folder(path: Path | None) -> Path | None:
    return _existing(path, stat.S_ISDIR, "folder")


def _existing(path: Path | None, is_right: Callable[[int], bool], kind: str) -> Path | None:
    try:
        if path is not None and not is_right(path.stat().st_mode):
            raise ValueError(f"{path} is no {kind}")
    except OSError as error:  # pydantic's own type lets some of these through
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    return path


def is_secret(info: FieldInfo) -> bool:
    """Whether a field holds what must not be shown."""
    return "Secret" in str(info.annotation)


OptionalText = Annotated[str | None, BeforeValidator(none_if_empty)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(none_if_empty)]
OptionalFile = Annotated[Path | None, BeforeValidator(none_if_empty), AfterValidator(_file)]
OptionalFolder = Annotated[Path | None, BeforeValidator(none_if_empty), AfterValidator(_folder)]


def leads_somewhere(url: str) -> bool:
    """Whether the host and the port of an address can be ones."""
    try:
        parse_url(url)
        return urlsplit(url).port != 0
    except ValueError:  # of both
        return False


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"

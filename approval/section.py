"""What the sections of `workflow.cfg` have in common, the gate's own and those of platforms."""

import ipaddress
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr


class Section(BaseModel):
    """A section: frozen, no unknown keys, no value in a message."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True
    )


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


OptionalText = Annotated[str | None, BeforeValidator(none_if_empty)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(none_if_empty)]
OptionalFile = Annotated[Path | None, BeforeValidator(none_if_empty), AfterValidator(_file)]
OptionalFolder = Annotated[Path | None, BeforeValidator(none_if_empty), AfterValidator(_folder)]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"

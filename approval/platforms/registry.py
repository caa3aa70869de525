"""The platforms there are. A new one is a package beside this file and one line here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from approval.platforms import Platform
from approval.platforms.abiquo import Abiquo
from approval.platforms.abiquo.settings import Settings as AbiquoSettings


@dataclass(frozen=True)
class Kind:
    """A platform's section of the settings (with `warnings()`), and how to build it from that."""

    settings: type[BaseModel]
    build: Callable[[Any], Platform]


PLATFORMS = {
    "abiquo": Kind(AbiquoSettings, Abiquo),
}

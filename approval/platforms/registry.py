"""The platforms there are. A new one is a package beside this file and one line here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from approval.platforms import Platform
from approval.platforms.abiquo import Abiquo
from approval.platforms.abiquo.settings import Settings as AbiquoSettings
from approval.section import Section


@dataclass(frozen=True)
class Kind:
    """A platform's section of the settings, and how to build it from that."""

    settings: type[Section]
    build: Callable[[Any], Platform]


PLATFORMS = {
    "abiquo": Kind(AbiquoSettings, Abiquo),
}

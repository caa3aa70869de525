"""Hrefs of the platform, reduced to paths below the root of its API.

The platform may write any host into its hrefs, and a callback may be forged: only the path
counts, only in the shape that its rel must have, and it is joined to the configured
location when it is used. So credentials go to the configured host and nowhere else.
"""

import re
from collections.abc import Iterable

from approval.platforms.abiquo.documents import Link

MAX_LENGTH = 500
DEFAULT_ROOT = "/api"  # what the platform writes if it was not told where proxies put it

ORIGIN = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(?=/)")
SEGMENT = r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]+"
PATH = re.compile(rf"{SEGMENT}(/{SEGMENT})*")

ID = "[0-9]{1,19}"
TASK_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,64}")
ENTERPRISE = re.compile(f"admin/enterprises/{ID}")
USER = re.compile(f"admin/enterprises/{ID}/users/{ID}")
ROLE = re.compile(f"admin/roles/{ID}")
DATACENTER = re.compile(f"cloud/virtualdatacenters/{ID}")
APPLIANCE = re.compile(f"cloud/virtualdatacenters/{ID}/virtualappliances/{ID}")
MACHINE = re.compile(f"cloud/virtualdatacenters/{ID}/virtualappliances/{ID}/virtualmachines/{ID}")
TEMPLATE = re.compile(
    f"admin/enterprises/{ID}/datacenterrepositories/{ID}/virtualmachinetemplates/{ID}"
)


class HrefError(ValueError):
    """Raised if an href does not lead where its rel has to lead."""


def path_of(href: str, root: str) -> str:
    """Reduce an href to its path below `root` (as "/api"), without leading slash.

    It may be absolute, start with the root, or be relative to it with or without a slash.
    """
    origin = ORIGIN.match(href)
    path = href[origin.end() :] if origin else href
    for prefix in (root, DEFAULT_ROOT):
        if path.startswith(f"{prefix}/"):
            path = path.removeprefix(prefix)
            break
    else:
        if origin:
            raise HrefError(f"{href[:80]!a} is not below {root}")
    path = path.removeprefix("/")
    if len(href) > MAX_LENGTH or not PATH.fullmatch(path):
        raise HrefError(f"{href[:80]!a} is no plain path below {root}")
    return path


def shaped(href: str, shape: re.Pattern[str], root: str) -> str:
    """The path of an href that must lead to a certain kind of thing."""
    path = path_of(href, root)
    if not shape.fullmatch(path):
        raise HrefError(f"{href[:80]!a} leads elsewhere")
    return path


def linked(links: Iterable[Link], shape: re.Pattern[str], root: str) -> str | None:
    """The path of the first link, if there is one and it leads to this kind of thing."""
    try:
        return next((shaped(link.href, shape, root) for link in links), None)
    except HrefError:
        return None


def datacenter_of(machine: str) -> str:
    """The path of the virtual datacenter in which the machine at this path lies."""
    return machine[: machine.index("/virtualappliances/")]


def appliance_of(machine: str) -> str:
    """The path of the virtual appliance in which the machine at this path lies."""
    return machine[: machine.index("/virtualmachines/")]

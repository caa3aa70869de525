"""In which format, and as which kind of document, a client wants its answer."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from approval.demo.cloud.personality import Format, Personality
from approval.demo.cloud.refusal import Refusal

VENDOR = re.compile(r"application/vnd\.abiquo\.(?P<kind>\w+)\+(?P<format>json|xml)")
PLAIN: dict[str, Format] = {
    "application/json": "json",
    "text/json": "json",
    "application/xml": "xml",
    "text/xml": "xml",
}


@dataclass(frozen=True)
class Wanted:
    kind: str
    format: Format


@lru_cache(1000)
def negotiate(accept: str | None, kinds: tuple[str, ...], personality: Personality) -> Wanted:
    """Choose among the kinds on offer, of which the first is the usual one. Raises Refusal."""
    usual = personality.users_kind if "userswithroles" in kinds else kinds[0]
    if not accept:
        return Wanted(usual, personality.format)
    for media_type, version in _ranges(accept):
        if version and version not in personality.accepted:
            raise _not_acceptable("Invalid version parameter for 'Accept' header")
        if media_type == "*/*":
            return Wanted(usual, personality.format)
        if media_type in PLAIN:
            return Wanted(usual, PLAIN[media_type])
        if (vendor := VENDOR.fullmatch(media_type)) and vendor["kind"] in kinds:
            return Wanted(vendor["kind"], format_of(vendor["format"], personality))
    raise _not_acceptable("The requested media type is not available")


def format_of(accept: str | None, personality: Personality) -> Format:
    """The format for an error: whatever comes nearest to what was asked for."""
    if accept and "json" in accept:
        return "json"
    return "xml" if accept and "xml" in accept else personality.format


def _ranges(accept: str) -> Iterator[tuple[str, str | None]]:
    """Media types with their version parameter, the most wanted first."""
    ranges = []
    for part in accept.split(","):
        media_type, *texts = (text.strip() for text in part.split(";"))
        parameters = {name: value for name, _, value in (text.partition("=") for text in texts)}
        ranges.append((media_type, parameters))
    ranges.sort(key=lambda entry: -float(entry[1].get("q", 1)))
    return ((media_type, parameters.get("version")) for media_type, parameters in ranges)


def _not_acceptable(message: str) -> Refusal:
    return Refusal(406, "406-NOT ACCEPTABLE", message)

"""Values as people write them into the settings, and what they mean."""

import base64
import binascii
import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any

from humanize import precisedelta
from pydantic import AfterValidator, BeforeValidator, SecretBytes, SecretStr

from approval.model import Action

SECRET_LENGTH = 22  # characters; 128 bits in URL-safe base64
CURE = "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
SIGNING_KEY = range(24, 65)  # bytes, as Standard Webhooks wants them
Network = IPv4Network | IPv6Network
UNITS = {
    "s": "seconds", "sec": "seconds", "second": "seconds", "seconds": "seconds",
    "min": "minutes", "minute": "minutes", "minutes": "minutes",
    "h": "hours", "hour": "hours", "hours": "hours",
    "d": "days", "day": "days", "days": "days",
}  # fmt: skip
ACTIONS = {
    "accept": Action.ACCEPT,
    "continue": Action.ACCEPT,
    "cancel": Action.DECLINE,
    "decline": Action.DECLINE,
}


def action(value: Any) -> Any:
    if isinstance(value, Action) or value is None:
        return value
    try:
        return ACTIONS[str(value).strip().lower()]
    except KeyError:
        raise ValueError(f"{value!r} is neither ACCEPT nor CANCEL") from None


def action_or_ask(value: Any) -> Any:
    if str(value).strip().lower() == "ask":
        return None
    try:
        return action(value)
    except ValueError:
        raise ValueError(f"{value!r} is neither ask nor accept nor cancel") from None


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"\s*(\d{1,6})\s*([a-z]+)\s*", str(value).lower())
    if not match or match[2] not in UNITS:
        raise ValueError(f"{value!r} is not a length of time; write it as '3 days' or '5 min'")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def at_least(bound: timedelta) -> AfterValidator:
    """Refuse shorter lengths of time; pydantic's own words for them are for programmers."""

    def check(value: timedelta | None) -> timedelta | None:
        if value is not None and value < bound:
            raise ValueError(f"must be at least {precisedelta(bound)}")
        return value

    return AfterValidator(check)


def _durations(value: Any) -> Any:
    """Lengths of time with commas between them, each longer than the one before."""
    if isinstance(value, str):
        value = [part for part in value.split(",") if _or_never(part)]
    lengths = [_duration(part) for part in value]
    if lengths != sorted(set(lengths)) or timedelta() in lengths:
        raise ValueError("write lengths of time from the shortest on, as 1 day, 3 days")
    return lengths


def _or_never(value: Any) -> Any:
    """None for never."""
    return None if str(value).strip().lower() in ("never", "") else value


def words(value: Any) -> Any:
    return value.replace(",", " ").split() if isinstance(value, str) else value


def _secrets(value: Any) -> Any:
    """Several secrets separated by spaces, each long enough not to be guessed."""
    secrets = words(value)
    for secret in secrets:
        if len(secret) < SECRET_LENGTH:
            raise ValueError(f"must have at least {SECRET_LENGTH} characters; {CURE}")
    return secrets


def _signing_keys(value: Any) -> Any:
    """Keys of Standard Webhooks, whsec_ and base64, as bytes."""
    return [_signing_key(word) if isinstance(word, str) else word for word in words(value)]


def _signing_key(word: str) -> bytes:
    encoded = word.removeprefix("whsec_").rstrip("=")
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in SIGNING_KEY:
        raise ValueError("is whsec_ and 24 to 64 bytes in base64, as the sender shows it")
    return key


def _networks(value: Any) -> Any:
    """Addresses and networks; an address is a network of one."""
    return [_network(word) if isinstance(word, str) else word for word in words(value)]


def _network(word: str) -> Network:
    try:
        return ip_network(word)
    except ValueError:
        raise ValueError(
            f"{word!r} is no address and no network, as 10.1.2.3, 10.1.2.0/24 or 2001:db8::/64"
        ) from None


Networks = Annotated[tuple[Network, ...], BeforeValidator(_networks)]
SigningKeys = Annotated[tuple[SecretBytes, ...], BeforeValidator(_signing_keys)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
# Their own default is None, which is not validated: set validate_default=False.
OptionalDuration = Annotated[Duration | None, BeforeValidator(_or_never)]
Durations = Annotated[tuple[timedelta, ...], BeforeValidator(_durations)]
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_secrets)]

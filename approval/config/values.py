"""Values as people write them into the settings, and what they mean."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, SecretStr

from approval.model import Action

SECRET_LENGTH = 22  # characters; 128 bits in URL-safe base64
CURE = "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
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


def words(value: Any) -> Any:
    return value.replace(",", " ").split() if isinstance(value, str) else value


def _secrets(value: Any) -> Any:
    """Several secrets separated by spaces, each long enough not to be guessed."""
    secrets = words(value)
    for secret in secrets:
        if len(secret) < SECRET_LENGTH:
            raise ValueError(f"must have at least {SECRET_LENGTH} characters; {CURE}")
    return secrets


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_secrets)]

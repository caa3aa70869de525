"""`workflow.cfg.example`: every key with its meaning and default, written from the sections."""

import textwrap
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from typing import Any

import humanize
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from approval.model import Action
from approval.section import is_secret

HEAD = """\
# Settings of the approval gate. Everything that is commented out shows its default.
# Any value can come from the environment, as APPROVAL_ABIQUO__API_PASSWORD, or from a file
# of its own, as api_password_file = /run/secrets/abiquo. 'approval check' tells what is wrong.
# A comment needs a line of its own: what follows a value on its line, as "8080 ; note", belongs
# to the value, for passwords may hold any sign. The tool of 2013 read that as a comment.
"""
# What must be set, with an example; what need not be has its examples in the sections.
EXAMPLES = {
    "api_location": "https://cloud.example.com/api",
    "api_username": "gate",
    "api_password": "secret",
    "from": "Approval gate <gate@example.com>",
    "operator": "operator@example.com",
    "public_url": "https://gate.example.com",
}
NONE = {
    "own_request": "ask",
    "decline_after": "never",
    "purge_after": "never",
}  # what is written for no value
WORDS = {Action.ACCEPT: "ACCEPT", Action.DECLINE: "CANCEL"}


def example(sections: Mapping[str, type[BaseModel]]) -> str:
    """The text of the example file."""
    parts = [HEAD]
    for name, model in sections.items():
        parts.append(f"\n[{name}]\n# {model.__doc__}\n")
        parts += [_entry(info.alias or key, info) for key, info in model.model_fields.items()]
    return "".join(parts)


def _entry(key: str, info: FieldInfo) -> str:
    comment = textwrap.fill(info.description or "", 96, initial_indent="# ", subsequent_indent="# ")
    if key in EXAMPLES:
        return f"\n{comment}\n{key} = {EXAMPLES[key]}\n"
    if example := _example(key, info):
        comment += f"\n# For example: {example}"
    return f"\n{comment}\n#{key} = {_written(key, info.default)}".rstrip() + "\n"


def _example(key: str, info: FieldInfo) -> str:
    """How to set what has no default; of a secret, where it lies and never what it is."""
    if is_secret(info):
        return f"{key}_file = /run/secrets/{key}"
    shown = [each for each in info.examples or () if f"as {each}" not in (info.description or "")]
    return f"{key} = {shown[0]}" if shown else ""


def _written(key: str, value: Any) -> str:
    """A default as people write it into the file."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        return humanize.precisedelta(value)
    if isinstance(value, Enum):
        return WORDS.get(value, value.value)  # type: ignore[call-overload, no-any-return] # other enums are their own word
    if key in NONE:
        return NONE[key]
    if isinstance(value, tuple) and value:
        return ", ".join(_written(key, each) for each in value)
    if value in (None, (), PydanticUndefined) or isinstance(value, SecretStr):
        return ""
    return str(value)

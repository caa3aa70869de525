"""The key that signs links: configured, or made once and kept beside the SQLite file."""

import os
import secrets
from pathlib import Path

from approval.config import Config
from approval.config.values import SECRET_LENGTH


class KeyBroken(Exception):
    """Raised if the file with the key holds none."""


def link_keys(config: Config, database_file: Path) -> list[str]:
    """The keys from the oldest to the newest. Raises KeyBroken."""
    if config.server.secret_key:
        return [key.get_secret_value() for key in config.server.secret_key]
    file = database_file.with_name(database_file.name + ".key")
    if not file.exists():
        _make(file)
    key = file.read_text(encoding="ascii").strip()
    if len(key) < SECRET_LENGTH:
        raise KeyBroken(f"{file} holds no key; restore it, or remove it and all links with it")
    return [key]


def _make(file: Path) -> None:
    """Write a new key, whole or not at all: links of mails that were sent must outlive a crash."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as new:
        new.write(secrets.token_urlsafe(32) + "\n")
        new.flush()
        os.fsync(new.fileno())
    os.replace(draft, file)
    folder = os.open(file.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)

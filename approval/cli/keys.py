"""The key that signs links: configured, or made once and kept beside the SQLite file."""

import os
import secrets
from pathlib import Path

from approval.config import Config


def link_keys(config: Config, database_file: Path) -> list[str]:
    """The keys from the oldest to the newest."""
    if config.server.secret_key:
        return [key.get_secret_value() for key in config.server.secret_key]
    file = database_file.with_name(database_file.name + ".key")
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return [file.read_text(encoding="ascii").strip()]
    with os.fdopen(descriptor, "w", encoding="ascii") as new:
        new.write(secrets.token_urlsafe(32) + "\n")
        new.flush()
        os.fsync(new.fileno())  # links of mails that were sent must outlive a power cut
    return [file.read_text(encoding="ascii").strip()]

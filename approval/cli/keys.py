"""The keys that sign links: configured, or made and kept beside the SQLite file."""

import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from approval.config import Config
from approval.config.values import SECRET_LENGTH
from approval.links import mark_of


class KeyBroken(Exception):
    """Raised if the file with the keys holds none, or is not what counts."""


def link_keys(config: Config) -> list[str]:
    """The keys in the order of `[server] secret_key`. Raises KeyBroken."""
    if config.server.secret_key:
        return [key.get_secret_value() for key in config.server.secret_key]
    file = _file(config)
    if not file.exists():
        _write(file, [secrets.token_urlsafe(32)])
    try:
        keys = file.read_text(encoding="ascii").split()
    except PermissionError as error:
        raise KeyBroken(
            f"{file} cannot be read; make it, and what lies beside it, the gate's account's own"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise KeyBroken(f"{file} holds no keys ({error}); restore it") from error
    if not keys or any(len(key) < SECRET_LENGTH for key in keys):
        raise KeyBroken(f"{file} holds no key; restore it, or remove it and all links with it")
    return keys


def marks(config: Config) -> list[str]:
    """The marks of the keys that there are by now, in their order. Raises KeyBroken."""
    if config.server.secret_key or key_file(config):
        return [mark_of(key) for key in link_keys(config)]
    return []


def rotate(config: Config) -> int:
    """Add a key, which signs from the next start on; returns how many there are.

    Raises KeyBroken.
    """
    keys = [*_kept(config), secrets.token_urlsafe(32)]
    _write(_file(config), keys)
    return len(keys)


def older(config: Config) -> int:
    """How many keys there are besides the newest. Raises KeyBroken."""
    return len(_kept(config)) - 1


def retire(config: Config) -> int:
    """Forget all keys but the newest, and with them the links they signed; returns how many.

    Raises KeyBroken.
    """
    *old, newest = _kept(config)
    if old:
        _write(_file(config), [newest])
    return len(old)


def copy_keys(config: Config, folder: Path) -> Path | None:
    """Copy the keys into a folder; None if they stand in the settings. Raises KeyBroken."""
    if config.server.secret_key:
        return None
    copy = folder / _file(config).name
    _write(copy, link_keys(config))
    return copy


def key_file(config: Config) -> Path | None:
    """The file that keeps the keys, if there is one."""
    file = None if config.server.secret_key or config.database_file is None else _file(config)
    return file if file and file.exists() else None


def beside(file: Path) -> Path:
    """Where the keys of a SQLite file are kept."""
    return file.with_name(file.name + ".key")


def _kept(config: Config) -> list[str]:
    if config.server.secret_key:
        where = config.sources.get(("server", "secret_key"), "the settings")
        raise KeyBroken(
            f"[server] secret_key: the keys stand in {where}; change them there, "
            "the newest last, with a space between"
        )
    if not _file(config).exists():
        raise KeyBroken(f"{_file(config)} is not there; the gate makes it when it first starts")
    return link_keys(config)


def _file(config: Config) -> Path:
    file = config.database_file
    if file is None:
        raise KeyBroken("[server] secret_key: is missing, and there is no file to keep one beside")
    return beside(file)


def _write(file: Path, keys: Sequence[str]) -> None:
    """Write keys, all or none of them: links of mails that were sent must outlive a crash."""
    # Under a name that nobody can foresee, and so plant a link at, for its owner alone.
    descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")
    try:
        if os.geteuid() == 0:  # an operator, while the gate that is to read it has its own account
            owner = (file if file.exists() else file.parent).stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        with os.fdopen(descriptor, "w", encoding="ascii") as new:
            new.writelines(f"{key}\n" for key in keys)
            new.flush()
            os.fsync(new.fileno())
        os.replace(draft, file)
    except BaseException:
        os.unlink(draft)
        raise
    folder = os.open(file.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)

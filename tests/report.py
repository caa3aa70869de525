"""The measured parts of docs/reliability.md: each writer has its own, between two markers."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

FILE = Path(__file__).parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- written by {} -->\n", "<!-- end -->\n"


class NoSuchPart(Exception):
    """Raised if the page has no place for what somebody writes."""


def write(writer: str, text: str, file: Path = FILE) -> None:
    """Replace the part of a writer; what others wrote stays. Raises NoSuchPart."""
    begin = BEGIN.format(writer)
    before, found, rest = file.read_text("utf-8").partition(begin)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise NoSuchPart(f"{file} has no {begin.strip()} … {END.strip()}")
    file.write_text(f"{before}{begin}{text}{END}{after}", "utf-8")


def here() -> str:
    """When and on what this was measured."""
    today = datetime.now(UTC).strftime("%d %B %Y")
    system, python = platform.system(), platform.python_version()
    return f"{today}: {os.cpu_count()} cores, {system}, Python {python}"

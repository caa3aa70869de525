"""What statements of several tables share."""

import secrets
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

# PostgreSQL keeps no NUL in a text.
NUL, INSTEAD = "\0", "\N{REPLACEMENT CHARACTER}"
_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_into(dialect: str, table: sa.Table) -> Any:
    """An insert that knows ON CONFLICT, which both databases speak."""
    return _INSERTS[dialect](table)


def new_id(now: datetime) -> str:
    """An id that nobody can guess, 32 hexadecimal digits.

    It begins with the time in milliseconds: rows that are written together lie together in
    an index, so a large one is as quick as a small one.
    """
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"

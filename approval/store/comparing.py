"""Rows on both sides of a copy: whether they are the same."""

from typing import Any

from approval.store.plain import PlainRow, Table
from approval.store.statements import INSTEAD, NUL


class Differs(Exception):
    """Raised if a row is not the same on both sides; says which, and not what it holds."""


def compare(table: Table, wanted: PlainRow | None, there: PlainRow | None) -> None:
    """See that a row is there as it is wanted. Raises Differs."""
    if wanted == there:
        return
    if wanted is None or there is None:
        where = named(table, wanted or there or ())
        raise Differs(f"{where} {'is not of the source' if wanted is None else 'is missing'}")
    for name, one, other in zip(table.columns, wanted, there, strict=True):
        if not _alike(one, other):
            raise Differs(f"{named(table, wanted)}: {name} is not that of the source")


def _alike(wanted: Any, there: Any) -> bool:
    """PostgreSQL keeps no NUL; what the gate writes in its place is right."""
    kept = wanted.replace(NUL, INSTEAD) if isinstance(wanted, str) else wanted
    return there in (wanted, kept)


def named(table: Table, row: PlainRow) -> str:
    """A row, by its table and its key."""
    return " ".join([table.name, *map(str, table.key(row))])

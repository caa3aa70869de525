"""Tables with their values as they are kept, not as the model has them: to move rows."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from approval.store.session import Session
from approval.store.tables import METADATA, REQUESTS, Value

AT_ONCE, LARGE_AT_ONCE = 500, 50  # rows; a callback's body has up to 1 MiB
PlainRow = tuple[Any, ...]
# What reading raises if a column holds what the gate never wrote.
ODD = (ValueError, TypeError, LookupError)


class Unreadable(Exception):
    """Raised if a table holds what the gate never wrote."""


class Verbatim(sa.types.UserDefinedType[str]):
    """JSON as the text that it is. Digests in the audit trail vouch for what it says."""

    cache_ok = True

    def column_expression(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.cast(column, sa.Text)


def _plain(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    if isinstance(kind, Value):
        return Verbatim()
    return sa.String() if isinstance(kind, sa.Enum) else kind


class Table:
    """Reads and writes the rows of a table, few at a time."""

    def __init__(self, table: sa.Table) -> None:
        self.name = table.name
        self._at_once = LARGE_AT_ONCE if table is REQUESTS else AT_ONCE
        self._rows = sa.Table(
            table.name,
            sa.MetaData(),
            *(
                sa.Column(c.name, _plain(c.type), primary_key=c.primary_key, autoincrement=False)
                for c in table.columns
            ),
        )
        self.columns = self._rows.columns.keys()
        self._key = list(self._rows.primary_key)
        self._places = [self.columns.index(column.name) for column in self._key]
        self._add = sa.insert(self._rows)

    def key(self, row: PlainRow) -> PlainRow:
        """What tells a row from all others."""
        return tuple(row[place] for place in self._places)

    def count(self, session: Session) -> int:
        """How many rows there are."""
        return session.scalar(sa.select(sa.func.count()).select_from(self._rows)) or 0

    def batches(self, session: Session) -> Iterator[list[PlainRow]]:
        """All rows, in the order of their keys."""
        page = sa.select(self._rows).order_by(*self._key).limit(self._at_once)
        rows = self._read(session, page)
        while rows:
            yield rows
            rows = self._read(session, page.where(self._beyond(rows[-1])))

    def _beyond(self, row: PlainRow) -> sa.ColumnElement[bool]:
        last = [
            sa.literal(value, column.type)
            for value, column in zip(self.key(row), self._key, strict=True)
        ]
        if len(last) == 1:
            return self._key[0] > last[0]
        return sa.tuple_(*self._key) > sa.tuple_(*last)

    def same(self, session: Session, rows: Sequence[PlainRow]) -> dict[PlainRow, PlainRow]:
        """The rows that have the keys of these, by key."""
        found = self._read(session, sa.select(self._rows).where(self._among(rows)))
        return {self.key(row): row for row in found}

    def known(self, session: Session, rows: Sequence[PlainRow]) -> set[PlainRow]:
        """Those keys of these rows that are there."""
        return {
            tuple(key) for key in session.execute(sa.select(*self._key).where(self._among(rows)))
        }

    def _among(self, rows: Sequence[PlainRow]) -> sa.ColumnElement[bool]:
        keys = [self.key(row) for row in rows]
        if len(self._key) == 1:
            return self._key[0].in_([key[0] for key in keys])
        return sa.tuple_(*self._key).in_(keys)

    def add(self, session: Session, rows: Sequence[PlainRow]) -> None:
        """Add rows."""
        session.execute(self._add, [dict(zip(self.columns, row, strict=True)) for row in rows])

    def _read(self, session: Session, query: sa.Select[Any]) -> list[PlainRow]:
        try:
            return [tuple(row) for row in session.execute(query)]
        except ODD as error:
            raise Unreadable(
                f"{self.name} holds what the gate never wrote; see 'approval audit verify'"
            ) from error


TABLES = [Table(table) for table in METADATA.sorted_tables]  # in the order of foreign keys

"""A copy of a store in another one: every row of every table, then compared row by row.

It can be ended at any moment and begun again. Nothing remembers how far it came: rows that are
there are left alone, so beginning again is going on. Two things make that sound. A target that
holds rows is only added to if it says that it is an unfinished copy, which is written together
with its tables, or else before the first row, and dropped after the last was compared; and even
then each of its rows has to be one of the source's. So nothing is ever mixed, and no gate starts
on half of a store. One that has started just before is seen once that is written.

Each side is walked in its own order, batch by batch, and the other side is asked for the same
keys: the two may sort texts differently.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from approval.store import counters, migrate
from approval.store.comparing import compare, named
from approval.store.database import Database
from approval.store.groupcommit import words
from approval.store.plain import TABLES, PlainRow, Table, Unreadable
from approval.store.resting import InUse, see_unchanged
from approval.store.session import Session
from approval.store.tables import JOBS

_marker = sa.Table(migrate.UNFINISHED, sa.MetaData(), sa.Column("begun", sa.Integer))
_analyze = sa.text(f"ANALYZE {', '.join(table.name for table in TABLES)}")
_LEASE, _DUE, _MADE_AT = (JOBS.columns.keys().index(name) for name in ("lease", "due", "made_at"))


class NotCopied(Exception):
    """Raised if a store cannot be copied to another one as things are."""


class AtSource(Exception):
    """Raised for what is wrong with the source and not with the target; its cause is the reason."""


@contextmanager
def _at_source() -> Iterator[None]:
    try:
        yield
    except (InUse, Unreadable, sa.exc.DBAPIError) as error:
        raise AtSource(words(error)) from error


@dataclass(frozen=True)
class Step:
    """A part of the work: what is done to a table's rows, how many there are, and the doing.

    `batches` does it, and tells how many rows it has come on.
    """

    doing: str
    table: str
    rows: int
    batches: Iterator[int]


class Copy:
    """A copy of a store that stands still, seen by `source`, into `target`.

    `look` sees that nobody else is connected to the target.
    """

    def __init__(self, source: Session, target: Database, look: Callable[[], None]) -> None:
        self._source = source
        self._target = target
        self._look = look
        self.was_there = False

    def steps(self) -> Iterator[Step]:
        """All that is to do, in order; each has to be done before the next is asked for.

        Raises NotCopied, Differs, Unreadable, InUse, StoreDown, and AtSource.
        """
        self._set_up()
        with self._target.read() as session:
            unfinished = migrate.is_unfinished(session)
            found = {table: table.count(session) for table in TABLES}
        self.was_there = not unfinished and any(found.values())
        for table, rows in found.items():
            yield Step("found", table.name, rows, self._recognise(table))
        with _at_source():
            wanted = {table: table.count(self._source) for table in TABLES}
        if not self.was_there:
            self._mark(unfinished)
            for table, rows in wanted.items():
                yield Step("copied", table.name, rows, self._fill(table, bool(found[table])))
        for table, rows in wanted.items():
            yield Step("verified", table.name, rows, self._verify(table, rows))
        with _at_source():
            last = counters.last(self._source)
            see_unchanged(self._source)
        if not self.was_there:
            self._finish(last)

    def _set_up(self) -> None:
        if migrate.is_empty(self._target):
            with self._target.connection() as connection:
                if tables := sa.inspect(connection).get_table_names():
                    raise NotCopied(
                        f"holds tables of something else, such as {tables[0]}; "
                        "name an empty database"
                    )
                migrate.apply(connection)
                _marker.create(connection)
        with self._target.read() as session:
            if not migrate.is_newest(session):
                raise NotCopied("holds tables of another version; name an empty database")

    def _mark(self, unfinished: bool) -> None:
        """Keep gates off from here on, and see that none has started before."""
        if not unfinished:
            with self._target.write() as session:
                _marker.create(session.connection)
        self._target.close()  # connections that are idle, which would be taken for others
        self._look()

    def _finish(self, last: dict[str, int]) -> None:
        with self._target.write() as session:
            counters.go_on(session, last)
            _marker.drop(session.connection)
            if self._target.shared:  # which plans by what it last counted, and counts rarely
                session.execute(_analyze)

    def _fill(self, table: Table, begun: bool) -> Iterator[int]:
        """Add the rows that are not there yet."""
        for rows in self._wanted(table):
            try:
                with self._target.write() as session:
                    known = table.known(session, rows) if begun else set()
                    new = [row for row in rows if table.key(row) not in known]
                    if new:
                        table.add(session, new)
            except (sa.exc.IntegrityError, sa.exc.DataError) as error:
                why = type(error.orig).__name__  # its words may hold what the row holds
                first, last = named(table, rows[0]), named(table, rows[-1])
                raise NotCopied(f"takes not every row from {first} to {last}: {why}") from None
            yield len(rows)

    def _recognise(self, table: Table) -> Iterator[int]:
        """See that all that is there is of the source."""
        with self._target.read() as session:
            for rows in table.batches(session):
                wanted = {table.key(row): row for row in self._like(table, rows)}
                for row in rows:
                    compare(table, wanted.get(table.key(row)), row)
                yield len(rows)

    def _verify(self, table: Table, wanted: int) -> Iterator[int]:
        """See that all that is of the source is there, and nothing else."""
        with self._target.read() as session:
            for rows in self._wanted(table):
                there = table.same(session, rows)
                for row in rows:
                    compare(table, row, there.get(table.key(row)))
                yield len(rows)
            more = table.count(session) != wanted
        if more:
            yield from self._recognise(table)

    def _wanted(self, table: Table) -> Iterator[list[PlainRow]]:
        """The rows of the source, as the target is to hold them."""
        with _at_source():
            for rows in table.batches(self._source):
                yield _freed(table, rows)

    def _like(self, table: Table, rows: list[PlainRow]) -> list[PlainRow]:
        with _at_source():
            return _freed(table, list(table.same(self._source, rows).values()))


def _freed(table: Table, rows: list[PlainRow]) -> list[PlainRow]:
    """Leases end here: whoever held one is gone, and a new gate would wait for them.

    Such a job is due when it was at first, which is at once. All else is copied, also what is
    soon over, such as wakes: each stands for something that is not done yet.
    """
    if table.name != JOBS.name:
        return rows
    return [_free(row) if row[_LEASE] is not None else row for row in rows]


def _free(job: PlainRow) -> PlainRow:
    new = list(job)
    new[_LEASE], new[_DUE] = None, job[_MADE_AT]
    return tuple(new)

"""The counters that give out ids. None is used twice, not even that of a row that is gone."""

import sqlalchemy as sa
from sqlalchemy import orm

from approval.store.tables import EVENTS, Base

COUNTED = [t for t in Base.metadata.sorted_tables if t.autoincrement_column is not None]
# Up to this id PostgreSQL has given out ids of events before they came into this SQLite file. It
# leaves some out, which is no trace of anything, so gaps tell nothing there.
LEFT_OUT = f"{EVENTS.name} of postgresql"

_read_file = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name")
_drop = sa.text("DELETE FROM sqlite_sequence WHERE name = :name")
_add = sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)")
_read_server = sa.text("SELECT pg_sequence_last_value(pg_get_serial_sequence(:name, 'id'))")
_set_server = sa.text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)")


def given_out(session: orm.Session, name: str) -> int:
    """The last id that the counter of this name gave out; 0 if none."""
    read = _read_file if _in_file(session) else _read_server
    return int(session.scalar(read, {"name": name}) or 0)


def left_out(session: orm.Session) -> int:
    """Up to which id gaps between events tell nothing."""
    return given_out(session, LEFT_OUT if _in_file(session) else EVENTS.name)


def hand_on(source: orm.Session, target: orm.Session) -> None:
    """Go on counting in `target`, which holds the same rows, where `source` is."""
    for table in COUNTED:
        highest = source.scalar(sa.select(sa.func.max(table.c.id))) or 0
        if last := max(given_out(source, table.name), highest):
            _set(target, table, last)
    if _in_file(target) and (last := left_out(source)):
        _write(target, LEFT_OUT, last)


def _set(session: orm.Session, table: sa.Table, last: int) -> None:
    if not _in_file(session):
        session.execute(_set_server, {"name": table.name, "last": last})
    elif table.dialect_options["sqlite"]["autoincrement"]:  # else the highest id counts
        _write(session, table.name, last)


def _write(session: orm.Session, name: str, last: int) -> None:
    session.execute(_drop, {"name": name})
    session.execute(_add, {"name": name, "last": last})


def _in_file(session: orm.Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"

"""The counters that give out ids. None is used twice, not even that of a row that is gone."""

import sqlalchemy as sa

from approval.store.session import Session
from approval.store.tables import EVENTS, METADATA

COUNTED = [t for t in METADATA.sorted_tables if t.autoincrement_column is not None]
# Up to this id PostgreSQL has given out ids of events before they came into this SQLite file. It
# leaves some out, which is no trace of anything, so gaps tell nothing there.
LEFT_OUT = f"{EVENTS.name} of postgresql"
# Those that a file keeps; of other tables the highest id counts.
_IN_FILE = {t.name for t in COUNTED if t.dialect_options["sqlite"]["autoincrement"]} | {LEFT_OUT}

_read_file = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name")
_drop = sa.text("DELETE FROM sqlite_sequence WHERE name = :name")
_add = sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)")
_read_server = sa.text("SELECT pg_sequence_last_value(pg_get_serial_sequence(:name, 'id'))")
_set_server = sa.text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)")


def given_out(session: Session, name: str) -> int:
    """The last id that the counter of this name gave out; 0 if none."""
    read = _read_file if _in_file(session) else _read_server
    return int(session.scalar(read, {"name": name}) or 0)


def left_out(session: Session) -> int:
    """Up to which id gaps between events tell nothing."""
    return given_out(session, LEFT_OUT if _in_file(session) else EVENTS.name)


def last(session: Session) -> dict[str, int]:
    """Where each counter is, by name; those that have counted nothing are left out."""
    found = {LEFT_OUT: left_out(session)}
    for table in COUNTED:
        highest = session.scalar(sa.select(sa.func.max(table.c.id))) or 0
        found[table.name] = max(given_out(session, table.name), highest)
    return {name: id for name, id in found.items() if id}


def go_on(session: Session, last: dict[str, int]) -> None:
    """Go on counting there in a store that holds the same rows."""
    if _in_file(session):
        for name in last.keys() & _IN_FILE:
            _write(session, name, last[name])
        return
    for table in COUNTED:
        if table.name in last:
            session.execute(_set_server, {"name": table.name, "last": last[table.name]})


def _write(session: Session, name: str, last: int) -> None:
    session.execute(_drop, {"name": name})
    session.execute(_add, {"name": name, "last": last})


def _in_file(session: Session) -> bool:
    return session.dialect == "sqlite"

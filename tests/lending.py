"""Databases on a PostgreSQL server that go from test to test.

To make one takes a third of a second, to empty one some milliseconds. So it is given on if nobody
is connected to it any more, and if its tables, with all that belongs to them, are as they were.
"""

from collections.abc import Callable

import psycopg

from approval.store.tables import METADATA
from tests.waiting import wait_until

HERE = "relnamespace = 'public'::regnamespace"
SHAPE = f"""
SELECT string_agg(part, ' ' ORDER BY part) FROM (
    SELECT concat_ws(':', relname, relkind, reloptions, relacl) FROM pg_class WHERE {HERE}
    UNION ALL SELECT concat_ws(':', relname, attname, atttypid, attnotnull, attacl,
            pg_get_expr(adbin, adrelid))
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE {HERE}
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT concat_ws(':', conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(':', tgname, tgenabled) FROM pg_trigger
    UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(':', datconnlimit, datallowconn, datacl, setconfig)
        FROM pg_database d LEFT JOIN pg_db_role_setting s ON s.setdatabase = d.oid
        WHERE datname = current_database()
    UNION ALL SELECT version_num FROM alembic_version
) AS parts (part)
"""  # noqa: S608 - nothing of it comes from outside
OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
EMPTY = "; ".join(str(table.delete()) for table in reversed(METADATA.sorted_tables))
RESTART = f"SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S' AND {HERE}"  # noqa: S608
PATIENCE = 2  # seconds in which those who are leaving have to be gone


def shape(url: str) -> str:
    """The tables of a database and what belongs to them, but for the rows, in words."""
    with psycopg.connect(url) as connection:
        return str(connection.execute(SHAPE).fetchall())


def empty(url: str, shape: str) -> bool:
    """Make a database as it was when it was new; says whether that could be done."""
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            wait_until(_alone(connection), timeout=PATIENCE)
            if str(connection.execute(SHAPE).fetchall()) != shape:
                return False
            connection.execute(EMPTY)
            connection.execute(RESTART)
            return True
    except (psycopg.Error, AssertionError):
        return False


def _alone(connection: psycopg.Connection[tuple[int]]) -> Callable[[], bool]:
    return lambda: connection.execute(OTHERS).fetchone() == (0,)

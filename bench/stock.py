"""A database with a past: many requests that were decided long ago.

The database itself makes the rows up, which is ten times quicker than handing them over.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
from psycopg import sql

from approval.model import HeldTask
from approval.store.tables import Value
from bench.bodies import body, task_id

HELD = (
    Value(HeldTask)
    ._adapter.dump_json(
        HeldTask(id="old", type="DEPLOY", requester="admin/enterprises/1/users/1", links={})
    )
    .decode()
)
KINDS = ("received", "asked", "mailed", "mailed", "accepted", "delivered")
# Nobody needs half of a past, so nothing guards it while it is made.
QUICKLY = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000", "foreign_keys=OFF")
AFTERWARDS = ("journal_mode=WAL",)
# One request a second since the first of January; ids begin with the time, as `new_id` makes
# them, and those of the platform are random.
PAST = """
CREATE TEMP TABLE past AS
WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :tasks)
SELECT n, printf('%012x%020x', 1000 * (1767225600 + n), n) AS request,
  datetime(1767225600 + n, 'unixepoch') || '.000000' AS at FROM numbers
"""
ROWS = (
    """
    INSERT INTO approval_requests
      (id, platform, received_at, payload, missing, considered_at, closed_at, events)
    SELECT request, 'abiquo', at, randomblob(2500), '[]', at, at, :kinds FROM past
    """,
    """
    INSERT INTO tasks (id, request_id, platform, platform_task_id, held, state,
      decided_by, decided_at, reason, delivery, delivered_at)
    SELECT n + 1, request, 'abiquo', lower(hex(randomblob(16))), :held, 'accepted',
      'Mona Manager', at, '', 'delivered', at FROM past
    """,
    """
    INSERT INTO approvers (id, request_id, person_key, name, address, mail)
    SELECT 2 * n + i, request, 'k', 'Mona Manager', 'mona@acme.example', 'sent'
    FROM past, (SELECT 1 AS i UNION SELECT 2) ORDER BY n, i
    """,
    """
    INSERT INTO votes (task_id, approver_id, action, comment, cast_at)
    SELECT n + 1, 2 * n + 1, 'accept', '', at FROM past
    """,
    """
    INSERT INTO events (request_id, position, at, kind, text, salt, digest, hash)
    SELECT request, position.key + 1, at, position.value, '',
      randomblob(16), randomblob(32), randomblob(32)
    FROM past, json_each(:names) AS position ORDER BY n, position.key
    """,
)


def fill_file(database: Path, tasks: int) -> None:
    """Add so many decided tasks, each with request, approvers, vote and events, to SQLite."""
    values = {"tasks": tasks, "held": HELD, "kinds": len(KINDS), "names": json.dumps(KINDS)}
    with closing(sqlite3.connect(database)) as connection:
        for pragma in QUICKLY:
            connection.execute(f"PRAGMA {pragma}")
        with connection:
            for statement in (PAST, *ROWS):
                connection.execute(statement, values)
        for pragma in AFTERWARDS:
            connection.execute(f"PRAGMA {pragma}")


# PostgreSQL packs long values, so here the callbacks are as long and as random as those of life.
HOSTED_PAST = """
CREATE TEMP TABLE past AS
SELECT n, lpad(to_hex(1000 * (1767225600 + n)), 12, '0') || lpad(n::text, 20, '0') AS request,
  to_timestamp(1767225600 + n) AS at, gen_random_uuid()::text AS uuid
FROM generate_series(0, %(tasks)s::bigint - 1) AS n
"""
HOSTED_ROWS = (
    """
    INSERT INTO approval_requests
      (id, platform, received_at, payload, missing, considered_at, closed_at, events)
    SELECT request, 'abiquo', at, replace(%(body)s, %(id)s, uuid)::bytea, '[]', at, at, %(kinds)s
    FROM past
    """,
    """
    INSERT INTO tasks (id, request_id, platform, platform_task_id, held, state,
      decided_by, decided_at, reason, delivery, delivered_at)
    SELECT n + 1, request, 'abiquo', uuid, %(held)s::json, 'accepted',
      'Mona Manager', at, '', 'delivered', at FROM past
    """,
    """
    INSERT INTO approvers (id, request_id, person_key, name, address, mail)
    SELECT 2 * n + i, request, 'k', 'Mona Manager', 'mona@acme.example', 'sent'
    FROM past, generate_series(1, 2) AS i ORDER BY n, i
    """,
    """
    INSERT INTO votes (task_id, approver_id, action, comment, cast_at)
    SELECT n + 1, 2 * n + 1, 'accept', '', at FROM past
    """,
    """
    INSERT INTO events (request_id, position, at, kind, text, salt, digest, hash)
    SELECT request, place, at, kind, '', uuid_send(gen_random_uuid()),
      sha256(uuid_send(gen_random_uuid())), sha256(uuid_send(gen_random_uuid()))
    FROM past, unnest(%(names)s::text[]) WITH ORDINALITY AS position (kind, place)
    ORDER BY n, place
    """,
)
# Ids were given, so the counters have to be told.
COUNTED = ("tasks", "approvers")


def fill_hosted(connection: psycopg.Connection, tasks: int) -> None:
    """The same for PostgreSQL; everything has been vacuumed, as after a calm night."""
    first = body(0).decode()
    values = {"tasks": tasks, "held": HELD, "kinds": len(KINDS), "names": list(KINDS)}
    values |= {"body": first, "id": task_id(0)}
    connection.execute("SET session_replication_role = replica")  # foreign keys are right anyway
    for statement in (HOSTED_PAST, *HOSTED_ROWS):
        # The values become part of the text, as CREATE TABLE takes no parameters.
        psycopg.ClientCursor(connection).execute(statement, values)
    for table in COUNTED:
        connection.execute(
            sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), {})").format(
                table, 2 * tasks + 1
            )
        )
    connection.execute("VACUUM ANALYZE")

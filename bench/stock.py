"""A database with a past: many requests that were decided long ago.

SQLite itself makes the rows up, which is ten times quicker than handing them over.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from approval.model import HeldTask
from approval.store.tables import Value

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


def fill(database: Path, tasks: int) -> None:
    """Add so many decided tasks, each with its request, approvers, vote and events."""
    values = {"tasks": tasks, "held": HELD, "kinds": len(KINDS), "names": json.dumps(KINDS)}
    with closing(sqlite3.connect(database)) as connection:
        for pragma in QUICKLY:
            connection.execute(f"PRAGMA {pragma}")
        with connection:
            for statement in (PAST, *ROWS):
                connection.execute(statement, values)
        for pragma in AFTERWARDS:
            connection.execute(f"PRAGMA {pragma}")

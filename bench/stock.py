"""A database with a past: many requests that were decided long ago."""

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
LONG_AGO = "2026-01-01 00:00:00.000000"


def fill(database: Path, tasks: int) -> None:
    """Add so many decided tasks, each with its request, approvers, vote and events."""
    numbers = range(tasks)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(
            "INSERT INTO approval_requests"
            " (id, platform, received_at, payload, missing, closed_at, events)"
            " VALUES (?, 'abiquo', ?, ?, '[]', ?, 6)",
            ((f"{n:032x}", LONG_AGO, b"x" * 2500, LONG_AGO) for n in numbers),
        )
        connection.executemany(
            "INSERT INTO tasks (id, request_id, platform, platform_task_id, held, state,"
            " decided_by, decided_at, reason, delivery) VALUES"
            " (?, ?, 'abiquo', ?, ?, 'accepted', 'Mona Manager', ?, '', 'delivered')",
            ((n + 1, f"{n:032x}", f"old-{n}", HELD, LONG_AGO) for n in numbers),
        )
        connection.executemany(
            "INSERT INTO approvers (id, request_id, person_key, name, address, mail)"
            " VALUES (?, ?, 'k', 'Mona Manager', 'mona@acme.example', 'sent')",
            ((2 * n + i, f"{n:032x}") for n in numbers for i in (1, 2)),
        )
        connection.executemany(
            "INSERT INTO votes (task_id, approver_id, action, comment, cast_at)"
            " VALUES (?, ?, 'accept', '', ?)",
            ((n + 1, 2 * n + 1, LONG_AGO) for n in numbers),
        )
        connection.executemany(
            "INSERT INTO events (request_id, position, at, kind, text, salt, digest, hash)"
            " VALUES (?, ?, ?, ?, '', ?, ?, ?)",
            (
                (f"{n:032x}", position, LONG_AGO, kind, bytes(16), bytes(32), bytes(32))
                for n in numbers
                for position, kind in enumerate(KINDS, 1)
            ),
        )

"""The chain of the audit trail, and what a purge needs."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
REQUESTS = sa.table(
    "approval_requests",
    sa.column("id", sa.String),
    sa.column("platform", sa.String),
    sa.column("received_at", TIME),
    sa.column("payload", sa.LargeBinary),
    sa.column("requester", sa.JSON),
    sa.column("missing", sa.JSON),
    sa.column("events", sa.Integer),
)
EVENTS = sa.table(
    "events",
    sa.column("id", sa.Integer),
    sa.column("request_id", sa.String),
    sa.column("position", sa.Integer),
    sa.column("task_id", sa.Integer),
    sa.column("at", TIME),
    sa.column("kind", sa.String),
    sa.column("text", sa.String),
    sa.column("salt", sa.LargeBinary),
    sa.column("digest", sa.LargeBinary),
    sa.column("hash", sa.LargeBinary),
)
AT_ONCE = 500


def upgrade() -> None:
    chained = ("salt", "digest", "hash")
    op.add_column(
        "approval_requests",
        sa.Column("events", sa.Integer(), server_default="0", nullable=False),
    )
    op.add_column("approval_requests", sa.Column("purged_at", TIME, nullable=True))
    op.add_column("events", sa.Column("position", sa.Integer(), nullable=True))
    for name in chained:
        op.add_column("events", sa.Column(name, sa.LargeBinary(), nullable=True))
    _chain_all(op.get_bind(), datetime.now(UTC))
    with op.batch_alter_table("events", table_kwargs={"sqlite_autoincrement": True}) as events:
        events.drop_index("ix_events_request_id")
        events.alter_column("text", existing_type=sa.String(), nullable=True)
        for name in ("position", "digest", "hash"):
            kind = sa.Integer() if name == "position" else sa.LargeBinary()
            events.alter_column(name, existing_type=kind, nullable=False)
        events.create_unique_constraint(
            events.f("uq_events_request_id_position"), ["request_id", "position"]
        )
    where = sa.text("closed_at IS NOT NULL AND purged_at IS NULL")
    op.create_index(
        "ix_approval_requests_closed_at",
        "approval_requests",
        ["closed_at"],
        sqlite_where=where,
        postgresql_where=where,
    )
    op.create_index("ix_machines_seen_at", "machines", ["seen_at"])


# What follows is written as it was on the day of this migration; see `approval/audit/chain.py`.


def _chain_all(connection: sa.Connection, now: datetime) -> None:
    """Chain what there is, and end each chain with an event that vouches for the request."""
    after = ""
    while True:
        requests = connection.execute(
            sa.select(REQUESTS).where(REQUESTS.c.id > after).order_by(REQUESTS.c.id).limit(AT_ONCE)
        ).all()
        if not requests:
            return
        ids = [row.id for row in requests]
        events = connection.execute(
            sa.select(EVENTS.c.id, *[EVENTS.c[n] for n in ("request_id", "task_id", "at", "kind")],
                      EVENTS.c.text)
            .where(EVENTS.c.request_id.in_(ids))
            .order_by(EVENTS.c.request_id, EVENTS.c.id)
        )  # fmt: skip
        by_request = {
            key: [row._asdict() for row in rows]
            for key, rows in groupby(events, lambda row: str(row.request_id))
        }
        for request in requests:
            _chain(connection, request, by_request.get(request.id, []), now)
        after = ids[-1]


def _chain(
    connection: sa.Connection, request: Any, events: list[dict[str, Any]], now: datetime
) -> None:
    vouch = {
        "request_id": request.id, "task_id": None, "at": now, "kind": "chained",
        "text": _vouch(request),
    }  # fmt: skip
    *old, new = _linked(request, [*events, vouch])
    if old:
        names = ("position", "salt", "digest", "hash")
        connection.execute(
            sa.update(EVENTS)
            .where(EVENTS.c.id == sa.bindparam("of"))
            .values({name: sa.bindparam(f"new_{name}") for name in names}),
            [{"of": e["id"]} | {f"new_{name}": e[name] for name in names} for e in old],
        )
    connection.execute(sa.insert(EVENTS), new)
    connection.execute(
        sa.update(REQUESTS).where(REQUESTS.c.id == request.id).values(events=len(old) + 1)
    )


def _linked(request: Any, events: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    previous = _hash("request", request.id, request.platform, _time(request.received_at))
    for position, event in enumerate(events, 1):
        salt = os.urandom(16)
        digest = hashlib.sha256(salt + event["text"].encode("utf-8", "surrogatepass")).digest()
        previous = _hash(
            "event", previous.hex(), request.id, position, _time(event["at"]), event["kind"],
            event["task_id"], digest.hex(),
        )  # fmt: skip
        yield event | {"position": position, "salt": salt, "digest": digest, "hash": previous}


def _vouch(request: Any) -> str:
    """What was known of the request on the day of this migration."""
    person = request.requester or {}
    who = [
        f"{name} {json.dumps(person[name], ensure_ascii=False)}"
        for name in ("key", "name", "address", "role")
        if person.get(name) is not None
    ]
    text = f"payload sha256 {hashlib.sha256(request.payload).hexdigest()}; "
    text += f"requester {', '.join(who)}" if who else "requester unknown"
    if request.missing:
        text += "; missing " + ", ".join(
            json.dumps(each, ensure_ascii=False) for each in request.missing
        )
    return text


def _hash(*parts: str | int | None) -> bytes:
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode("ascii")).digest()


def _time(at: datetime) -> str:
    aware = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return aware.isoformat(timespec="microseconds")

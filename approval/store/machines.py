"""Machines: what the gate last knew of each."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from approval.model import Machine, Snapshot
from approval.store.session import Session
from approval.store.statements import insert_into
from approval.store.tables import MACHINES


@cache
def _remember(dialect: str) -> Any:
    insert = insert_into(dialect, MACHINES)
    new = {name: insert.excluded[name] for name in ("machine", "seen_at")}
    return insert.on_conflict_do_update(index_elements=["platform", "key"], set_=new)


def last_known(session: Session, platform: str, keys: Iterable[str]) -> Mapping[str, Snapshot]:
    """What the gate last knew of these machines, by their key."""
    rows = session.execute(
        sa.select(MACHINES).where(MACHINES.c.platform == platform, MACHINES.c.key.in_(list(keys)))
    )
    return {row.key: Snapshot(row.machine, row.seen_at) for row in rows}


def remember(session: Session, platform: str, machine: Machine, now: datetime) -> None:
    """Keep the machine as it is known to be from now on."""
    values = {"platform": platform, "key": machine.key, "machine": machine, "seen_at": now}
    session.execute(_remember(session.dialect), values)

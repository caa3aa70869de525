"""Machines: what the gate last knew of each."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm

from approval.model import Machine, Snapshot
from approval.store.tables import MachineRow


def last_known(session: orm.Session, platform: str, keys: Iterable[str]) -> Mapping[str, Snapshot]:
    """What the gate last knew of these machines, by their key."""
    rows = session.scalars(
        sa.select(MachineRow).where(MachineRow.platform == platform, MachineRow.key.in_(list(keys)))
    )
    return {row.key: Snapshot(row.machine, row.seen_at) for row in rows}


def remember(session: orm.Session, platform: str, machine: Machine, now: datetime) -> None:
    """Keep the machine as it is known to be from now on."""
    session.merge(MachineRow(platform=platform, key=machine.key, machine=machine, seen_at=now))

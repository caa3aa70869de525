"""Alerts: what the operator has to hear of, and when they last did."""

from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from approval.store.session import Row, Session
from approval.store.statements import insert_into
from approval.store.tables import ALERTS, TIME

# Built once: building a statement costs more than running it.
_one = sa.select(ALERTS).where(ALERTS.c.key == sa.bindparam("alert"))
_told = (
    sa.update(ALERTS)
    .where(ALERTS.c.key == sa.bindparam("alert"))
    .values(told_at=sa.bindparam("now", type_=TIME))
    .returning(ALERTS.c.noted_at)
)


@cache
def _note(dialect: str) -> Any:
    """The statement that notes a trouble of a kind, whoever else notes one just now."""
    insert = insert_into(dialect, ALERTS)
    new = {name: insert.excluded[name] for name in ("title", "text", "advice", "noted_at")}
    noted = insert.on_conflict_do_update(index_elements=["key"], set_=new)
    return noted.returning(ALERTS.c.told_at)


def note(
    session: Session, key: str, title: str, text: str, advice: str, now: datetime
) -> datetime | None:
    """Note a trouble; returns when the operator was last told of its kind."""
    values = {"key": key, "title": title, "text": text, "advice": advice, "noted_at": now}
    told_at: datetime | None = session.scalar(_note(session.dialect), values)
    return told_at


def load(session: Session, key: str) -> Row | None:
    """What the operator is to be told."""
    return session.execute(_one, {"alert": key}).first()


def told(session: Session, key: str, now: datetime) -> datetime:
    """Note that the operator was told; returns when the trouble was last noted."""
    noted_at: datetime = session.execute(_told, {"alert": key, "now": now}).scalar_one()
    return noted_at

"""Signing: by its mark, the key that signs the links of new mails."""

from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from approval.store.session import Session
from approval.store.statements import insert_into
from approval.store.tables import SIGNING

LINKS = "links"

# Built once: building a statement costs more than running it.
_mark = sa.select(SIGNING.c.mark).where(SIGNING.c.what == LINKS)


@cache
def _sign_with(dialect: str) -> Any:
    """The statement that notes a key, whoever else notes one just now."""
    insert = insert_into(dialect, SIGNING)
    new = {name: insert.excluded[name] for name in ("mark", "since")}
    return insert.on_conflict_do_update(index_elements=["what"], set_=new)


def mark(session: Session) -> str | None:
    """The mark of the key that signed last; None before the first gate has started."""
    found: str | None = session.scalar(_mark)
    return found


def sign_with(session: Session, mark: str, now: datetime) -> None:
    """Note which key signs from now on."""
    session.execute(_sign_with(session.dialect), {"what": LINKS, "mark": mark, "since": now})

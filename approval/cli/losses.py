"""Links in mails that a gate with these settings would not know."""

from approval.cli.keys import beside, marks
from approval.config import Config
from approval.store import holders
from approval.store.database import Database


def lost_links(config: Config, database: Database) -> str | None:
    """Whether a key is missing that signed links of open requests. Raises StoreDown, KeyBroken.

    The database has to be up to date.
    """
    if not config.links.signed:
        return None
    known = marks(config)
    with database.read() as session:
        count = holders.count_strange(session, known)
    if not count:
        return None
    missing = f"a key is missing that signed links in mails of open requests ({count})"
    if config.database_file and not config.server.secret_key:
        file = beside(config.database_file)
        lost = "" if known else f"; {file} is not there"
        cure = f"put it into {file} before a gate starts, older keys first"
    else:
        lost, cure = "", "give all gates the same keys, the newest last"
    return f"{missing}{lost}; {cure}; or, if it is to be gone, approval renew --all"

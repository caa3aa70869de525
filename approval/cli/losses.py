"""Links in mails that a gate with these settings would not know."""

from approval.cli.keys import beside, marks
from approval.config import Config
from approval.gate.rekey import strangers
from approval.store.database import Database


def lost_links(config: Config, database: Database) -> str | None:
    """Whether the key is missing that signed links of open requests. Raises StoreDown, KeyBroken.

    The database has to be up to date.
    """
    if not config.links.signed:
        return None
    with database.read() as session:
        waiting = strangers(session, marks(config))
    if not waiting:
        return None
    if config.database_file and not config.server.secret_key:
        return (
            f"{beside(config.database_file)} does not hold the key that signed so far, and "
            f"requests are open ({waiting}): links in their mails end; put the file back that was "
            "there before a gate starts"
        )
    return (
        f"the key that signed so far is not among these, and requests are open ({waiting}): links "
        "in their mails are unknown to this gate; give all gates the same keys, the newest last"
    )

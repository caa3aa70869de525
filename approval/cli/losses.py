"""What was lost beside a store that is whole."""

from contextlib import closing

from approval.cli.keys import beside, key_file
from approval.config import Config
from approval.store import pending
from approval.store.database import Database
from approval.store.migrate import is_current


def lost_keys(config: Config) -> str | None:
    """Whether the keys are gone that signed links of open requests. Raises StoreDown."""
    file = config.database_file
    needless = config.server.secret_key or not config.links.signed
    if file is None or not file.exists() or needless or key_file(config):
        return None
    with closing(Database(config.database, reading=True)) as database:
        if not is_current(database):
            return None
        with database.read() as session:
            waiting = pending.count_open(session)
    if not waiting:
        return None
    return (
        f"{beside(file)} is not there, and requests are open ({waiting}): links in their mails "
        "end with the keys; put the file back before a gate starts and makes a new one"
    )

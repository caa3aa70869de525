"""A process that presses a button: waits for a line, presses, says what it decided."""

import sys
from contextlib import closing

from approval.gate.vote import open_tasks, vote
from approval.model import Action
from approval.store.database import Database
from tests.fakes import NOW, FakePlatform


def main(url: str, approver_id: str, action: str, *ids: str) -> None:
    with closing(Database(url)) as database:
        link = open_tasks(database, FakePlatform.name, ids, int(approver_id))
        print("ready", flush=True)  # noqa: T201
        sys.stdin.readline()
        counted = vote(database, link, Action(action), "", NOW, notify_requester=True)
        print(len(counted.decided), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The moments at which a gate can die: before and after each commit and each outside effect.

Nothing of this is in the gate. A process that is to die gets it wrapped around the commit, the
request and the mail of the libraries that the gate uses.
"""

import os
import signal
import smtplib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect

WRITES = ("INSERT", "UPDATE", "DELETE")


class Moments:
    """Counts what happens, writes it into a file, and ends the process at moment `last`.

    Words for a person stand in the file, one moment a line, the last one included.
    """

    def __init__(self, file: Path, last: int | None) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._last = last
        self._count = 0
        self._lock = threading.Lock()

    def around(self, what: str, act: Callable[[], Any]) -> Any:
        """Do something of which others will know, between two moments."""
        self._pass(f"before {what}")
        result = act()
        self._pass(f"after {what}")
        return result

    def _pass(self, words: str) -> None:
        with self._lock:
            self._count += 1
            os.write(self._file, f"{words}\n".encode())
            if self._count == self._last:
                os.kill(os.getpid(), signal.SIGKILL)


def watch(moments: Moments) -> None:
    """Wrap everything that others can see of this process, from now on."""
    _watch_commits(moments)
    _watch_platform(moments)
    _watch_mails(moments)


def _watch_commits(moments: Moments) -> None:
    commit = DefaultDialect.do_commit

    @sa.event.listens_for(sa.Engine, "before_cursor_execute")
    def note(connection, cursor, statement, parameters, context, many):
        words = statement.split()
        if words[0] in WRITES:
            table = words[(words[0] != "UPDATE" and 2) or 1]
            connection.connection.info.setdefault("writes", []).append(f"{words[0]} {table}")

    def do_commit(dialect, connection):
        changes, writes = connection.total_changes, connection.info.pop("writes", [])
        if changes == connection.info.get("changes", 0):
            return commit(dialect, connection)  # nobody can see it
        connection.info["changes"] = changes
        what = f"commit: {', '.join(dict.fromkeys(writes))}"
        return moments.around(what, lambda: commit(dialect, connection))

    DefaultDialect.do_commit = do_commit


def _watch_platform(moments: Moments) -> None:
    request = requests.Session.request

    def watched(session, method, url, *args, **options):
        act = lambda: request(session, method, url, *args, **options)  # noqa: E731
        if method == "GET":
            return act()  # which changes nothing
        return moments.around(f"{method} {url.rpartition('/')[2]}", act)

    requests.Session.request = watched


def _watch_mails(moments: Moments) -> None:
    send = smtplib.SMTP.send_message

    def watched(client, message, *args, **options):
        act = lambda: send(client, message, *args, **options)  # noqa: E731
        return moments.around(f"mail to {message['To'].addresses[0].addr_spec}", act)

    smtplib.SMTP.send_message = watched

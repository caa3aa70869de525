"""Access: from the token of a web request to what its holder may see and decide."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

import structlog
from flask import request

from approval import links
from approval.clock import Clock
from approval.gate.vote import Barred, Opened, open_request, open_tasks
from approval.links import Link, LinkInvalid, Links
from approval.store.database import Database


@dataclass(frozen=True)
class Access:
    """What a token opens. Without token (unsigned links) there is no `link`."""

    opened: Opened
    token: str = ""
    link: Link | None = None

    @property
    def deadline(self) -> datetime | None:
        """Until when the token can be used to decide."""
        return self.link.deadline if self.link else None

    @property
    def state_url(self) -> str | None:
        """Where the holder sees the current state of what the token opens, and of no more."""
        if self.link is None:
            return None
        if self.link.subject == self.opened.request.id:
            return f"review?{urlencode({'request': self.link.subject, 'token': self.token})}"
        return f"accept?{urlencode({'task': self.opened.tasks[0].held.id, 'token': self.token})}"


class LinkExpired(Exception):
    """Raised if a link is ours but too old to decide with."""

    def __init__(self, access: Access) -> None:
        super().__init__("this link has expired")
        self.access = access


class Door:
    """Lets in who holds a token. Raises LinkInvalid or NotAsked, which look the same outside.

    A token of ours whose holder may not decide any more raises Barred.
    """

    def __init__(
        self, database: Database, platform: str, links: Links, clock: Clock, *, signed: bool
    ) -> None:
        self._database = database
        self._platform = platform
        self._links = links
        self._clock = clock
        self._signed = signed

    def to_task(self, values: Mapping[str, str]) -> Access:
        """Open one task by `task` and `token`. Raises LinkExpired."""
        access = self._to_tasks(links.TASK, [values.get("task", "")], values)
        if access.link and access.link.subject != access.opened.tasks[0].id:
            raise LinkInvalid("this link is of another task")
        return self._in_time(access)

    def to_tasks(self, values: Mapping[str, str]) -> Access:
        """Open several tasks by `tasks` and `token`. Raises LinkExpired."""
        access = self._to_tasks(links.REQUEST, values.get("tasks", "").split(","), values)
        if access.link and access.link.subject != access.opened.request.id:
            raise LinkInvalid("this link is of another request")
        return self._in_time(access)

    def to_request(self, values: Mapping[str, str]) -> Access:
        """Open a whole request by `request` and `token`. Raises LinkExpired."""
        token = values.get("token", "")
        link = self._links.read(links.REQUEST, token)
        access = Access(open_request(self._database, link.approver_id), token, link)
        if not values.get("request") == link.subject == access.opened.request.id:
            raise LinkInvalid("this link is of another request")
        return self._in_time(access)

    def to_renewal(self, values: Mapping[str, str]) -> Opened:
        """Open the request of any link of ours, expired or not."""
        opened = open_request(self._database, self._any(values).approver_id)
        _log_whose(opened)
        _refuse_barred(opened)
        return opened

    def signed(self, values: Mapping[str, str]) -> bool:
        """Whether we signed the token, whatever it opens; looks nothing up."""
        try:
            self._any(values)
        except LinkInvalid:
            return False
        return True

    def _any(self, values: Mapping[str, str]) -> Link:
        token = values.get("token", "")
        try:
            return self._links.read(links.TASK, token)
        except LinkInvalid:
            return self._links.read(links.REQUEST, token)

    def _to_tasks(self, purpose: str, task_ids: list[str], values: Mapping[str, str]) -> Access:
        token = values.get("token", "")
        if not token and not self._signed:
            return Access(open_tasks(self._database, self._platform, task_ids, None))
        link = self._links.read(purpose, token)
        opened = open_tasks(self._database, self._platform, task_ids, link.approver_id)
        return Access(opened, token, link)

    def _in_time(self, access: Access) -> Access:
        _log_whose(access.opened)
        _refuse_barred(access.opened)
        if access.link and access.link.expired(self._clock()):
            raise LinkExpired(access)
        return access


def sent() -> Mapping[str, str]:
    """What a web request says. A press says it in its form; the URL of a mail is no press."""
    return request.form if request.method == "POST" else request.args


def _log_whose(opened: Opened) -> None:
    """Have the log tell which link was opened, in place of its token, which never stands there."""
    approver = opened.approver.id if opened.approver else None
    structlog.contextvars.bind_contextvars(request=opened.request.id, approver=approver)


def _refuse_barred(opened: Opened) -> None:
    """Who is locked out may still read what became of what is decided."""
    approver = opened.approver
    if approver and (approver.revoked or (approver.locked and opened.pending)):
        raise Barred(approver)

"""The personal links of a mail."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from approval import links
from approval.links import Links
from approval.model import Action, Approver, Task

NAMED = 50  # tasks that one link can name; their ids take 2 kB


@dataclass(frozen=True)
class MailLinks:
    """The personal links of one approver to one request, as the templates use them.

    Links to the same thing share a token, which is signed once.
    """

    links: Links
    approver: Approver
    pending: Sequence[Task]
    deadline: datetime
    _tokens: dict[int, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def accept(self, task: Task) -> str:
        """The link to the page on which this task can be accepted."""
        return self._single(Action.ACCEPT, task)

    def decline(self, task: Task) -> str:
        """The link to the page on which this task can be declined."""
        return self._single(Action.DECLINE, task)

    @property
    def accept_all(self) -> str:
        """The link to the page on which all tasks can be accepted."""
        return self._multiple(Action.ACCEPT)

    @property
    def decline_all(self) -> str:
        """The link to the page on which all tasks can be declined."""
        return self._multiple(Action.DECLINE)

    @property
    def review(self) -> str:
        """The link to the page with every task of the request."""
        request_id = self.approver.request_id
        return self.links.url("review", request=request_id, token=self._request_token)

    def _single(self, action: Action, task: Task) -> str:
        return self.links.url(action.value, task=task.held.id, token=self._task_token(task))

    def _multiple(self, action: Action) -> str:
        if len(self.pending) > NAMED:  # more make a URL that proxies refuse
            return self.review
        ids = ",".join(task.held.id for task in self.pending)
        return self.links.url("multiple", action=action.value, tasks=ids, token=self._request_token)

    def _task_token(self, task: Task) -> str:
        if task.id not in self._tokens:
            token = self.links.token(links.TASK, self.approver.id, task.id, self.deadline)
            self._tokens[task.id] = token
        return self._tokens[task.id]

    @cached_property
    def _request_token(self) -> str:
        approver = self.approver
        return self.links.token(links.REQUEST, approver.id, approver.request_id, self.deadline)

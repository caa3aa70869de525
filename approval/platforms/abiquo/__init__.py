"""Abiquo as a platform: 2.6 with XML to 6.1 with JSON."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from approval.findings import Finding, Level
from approval.model import Action, Callback, Description, HeldTask, Person, PlatformState, Reading
from approval.platforms import PlatformError
from approval.platforms.abiquo import callback, checking, description
from approval.platforms.abiquo.approvers import Approvers, in_all
from approval.platforms.abiquo.client import Client
from approval.platforms.abiquo.documents import UNPRINTABLE, Document
from approval.platforms.abiquo.machines import enterprise_of
from approval.platforms.abiquo.pending import Pending
from approval.platforms.abiquo.reader import Reader
from approval.platforms.abiquo.readings import read_back
from approval.platforms.abiquo.replies import NotFound
from approval.platforms.abiquo.settings import Settings

__all__ = ["Abiquo", "Settings"]

RELEASES = {Action.ACCEPT: "continue", Action.DECLINE: "cancel"}
MAX_MESSAGE = 1500  # a comment, and before it what was decided by whom


class Abiquo:
    """The platform behind one API and one account. May be used by several threads."""

    name = "abiquo"
    title = "Abiquo"

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._root = settings.root
        self._client = Client(settings)
        self._reader = Reader(self._client, settings.api_timeout, clock)
        self._pending = Pending(self._client, self._root, settings.api_enterprises)
        self._approvers = Approvers(
            self._client, self._reader, self._root, settings.api_approve_role, clock
        )

    def read(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        return callback.read(body, headers, self._root)

    def look(self, task: HeldTask) -> Reading:
        try:
            document = self._client.get(task.links["self"], "task")
        except NotFound as error:
            self._believe(error)
            return Reading(PlatformState.GONE)
        return read_back(task, document, self._root)

    def held(self, *, whole: bool = False) -> Iterator[HeldTask] | None:
        return self._pending.held(whole=whole)

    def describe(self, tasks: Sequence[HeldTask]) -> Description:
        return description.describe(tasks, self._reader, self._root)

    def approvers(self, tasks: Sequence[HeldTask]) -> list[Person]:
        targets = {task.links["target"]: "virtualmachine" for task in tasks}
        enterprises = set()
        for path, answer in self._reader.get_all(targets).items():
            if isinstance(answer, PlatformError):
                raise answer
            enterprises.add(self._enterprise(path, answer))
        return in_all([self._approvers.of(enterprise) for enterprise in sorted(enterprises)])

    def release(self, task: HeldTask, action: Action, message: str, key: str) -> None:
        text = " ".join(UNPRINTABLE.sub(" ", message).split())
        self._client.post(task.links[RELEASES[action]], text[:MAX_MESSAGE], key)

    def check(self) -> list[Finding]:
        found = list(checking.check(self._client, self._settings))
        if self._settings.api_enterprises and found[0].level is Level.OK:
            found += checking.enterprises(self._pending)
        return found

    def close(self) -> None:
        self._reader.close()
        self._client.close()

    def _believe(self, error: NotFound) -> None:
        """Tell a task that is gone from an address where there is no API at all.

        A proxy's 404 would otherwise end every task that waits.
        """
        if error.says_so:
            return
        try:
            self._client.get("login", "user")
        except NotFound as nowhere:
            raise PlatformError(f"{nowhere}; is api_location right?", alert=True) from nowhere

    def _enterprise(self, path: str, machine: Document) -> str:
        enterprise = enterprise_of(machine, self._root)
        if enterprise is None:
            raise PlatformError(f"GET {path}: the machine has no enterprise link", alert=True)
        return enterprise

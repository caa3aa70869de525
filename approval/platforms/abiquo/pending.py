"""What the platform holds, enterprise by enterprise."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice

import structlog

from approval.model import HeldTask
from approval.platforms import PlatformError
from approval.platforms.abiquo import hrefs
from approval.platforms.abiquo.client import Client
from approval.platforms.abiquo.documents import Document
from approval.platforms.abiquo.pages import read_pages
from approval.platforms.abiquo.replies import NotFound
from approval.platforms.abiquo.tasks import TaskError, held_task

MAX_ENTERPRISES = 10_000
MAX_TASKS = 20_000  # of one enterprise
AT_ONCE = 100  # enterprises that are asked in one round; the next one goes on with the others
log = structlog.get_logger("approval.abiquo")


class Pending:
    """Lists held tasks. `chosen` are ids and names of enterprises; empty for all there are."""

    def __init__(self, client: Client, root: str, chosen: Sequence[str]) -> None:
        self._client = client
        self._root = root
        self._chosen = chosen
        self._after = ""  # the enterprise at which the last round ended

    def held(self) -> Iterator[HeldTask] | None:
        """The held tasks that can be read; None if this platform does not list them."""
        tasks = self._all()
        try:
            first = list(islice(tasks, 1))
        except _Unlisted:
            return None
        return chain(first, tasks)

    def _all(self) -> Iterator[HeldTask]:
        for enterprise in self._turn(sorted(self._enterprises())):
            yield from self._of(enterprise)
            self._after = enterprise

    def _turn(self, enterprises: Sequence[str]) -> Sequence[str]:
        """Whose turn it is: from where the last round ended, each once."""
        later = [one for one in enterprises if one > self._after]
        return [*later, *(one for one in enterprises if one <= self._after)][:AT_ONCE]

    def _of(self, enterprise: str) -> Iterator[HeldTask]:
        path = f"{enterprise}/action/pendingtasks"
        try:
            tasks = read_pages(self._client, path, "tasks", ("task",), _task_id, MAX_TASKS)
            for task_id, document in tasks:
                try:
                    yield held_task(document, self._root)
                except TaskError as error:  # as its callback would be
                    log.warning("pending task refused", task=task_id, error=str(error))
        except NotFound as error:
            if error.says_so:
                raise PlatformError(
                    f"{error}; is [abiquo] api_enterprises right?", alert=True
                ) from error
            raise _Unlisted(str(error), permanent=True) from error

    def _enterprises(self) -> set[str]:
        """The paths of the enterprises that are asked for."""
        numbers = {one for one in self._chosen if one.isdecimal()}
        found = {f"admin/enterprises/{number}" for number in numbers}
        names = set(self._chosen) - numbers
        if names or not self._chosen:
            named = self._named(names)
            if missing := names - named.keys():
                raise PlatformError(
                    f"there is no enterprise {min(missing)!r}; is [abiquo] api_enterprises right?",
                    alert=True,
                )
            found |= set(named.values())
        return found

    def _named(self, names: set[str]) -> dict[str, str]:
        """The enterprises with these names, or all: their paths by name, or by path."""
        found = {}
        enterprises = read_pages(
            self._client,
            "admin/enterprises",
            "enterprises",
            ("enterprise",),
            self._path,
            MAX_ENTERPRISES,
        )
        for path, enterprise in enterprises:
            name = enterprise.text("name") or ""
            if not names:
                found[path] = path
            elif name in names:
                found[name] = path
        return found

    def _path(self, enterprise: Document) -> str | None:
        return hrefs.linked(enterprise.links_to("edit"), hrefs.ENTERPRISE, self._root)


class _Unlisted(PlatformError):
    """Raised if there is no list of held tasks at all, as with old versions."""


def _task_id(task: Document) -> str | None:
    return task.text("taskId")

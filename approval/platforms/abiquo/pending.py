"""What the platform holds, enterprise by enterprise."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from itertools import chain, islice

import structlog

from approval.model import HeldTask
from approval.platforms import PlatformError
from approval.platforms.abiquo import hrefs
from approval.platforms.abiquo.client import Client
from approval.platforms.abiquo.documents import Document
from approval.platforms.abiquo.pages import read_pages
from approval.platforms.abiquo.replies import NotFound, Rejected
from approval.platforms.abiquo.tasks import TaskError, held_task

MAX_ENTERPRISES = 10_000
MAX_TASKS = 20_000  # of one enterprise
AT_ONCE = 100  # enterprises that are asked in one round; the next one goes on with the others
FAILURES = 3  # in a row, other than refusals of one list: nobody is there
log = structlog.get_logger("approval.abiquo")


class Pending:
    """Lists held tasks. `chosen` are ids and names of enterprises; empty for all there are."""

    def __init__(self, client: Client, root: str, chosen: Sequence[str]) -> None:
        self._client = client
        self._root = root
        self._chosen = chosen
        self._after = ""  # the enterprise at which the last round ended

    def held(self, *, whole: bool) -> Iterator[HeldTask] | None:
        """The held tasks that can be read; None if this platform does not list them.

        Of the enterprises whose turn it is, or with `whole` of all. One that cannot be listed
        is told by the PlatformError at the end, after the others were; three in a row end it.
        """
        tasks = self._listed(None if whole else AT_ONCE)
        try:
            first = list(islice(tasks, 1))
        except _Unlisted:
            return None
        return chain(first, tasks)

    def _listed(self, most: int | None) -> Iterator[HeldTask]:
        failures: list[PlatformError] = []
        in_a_row, answered = 0, False
        for enterprise in self._turn(sorted(self.enterprises()))[:most]:
            try:
                yield from self._of(enterprise)
                in_a_row, answered = 0, True
            except PlatformError as error:
                failures.append(_explained(error))
                in_a_row = 0 if _is_of_this_one(error) else in_a_row + 1
            self._after = enterprise  # also after a failure, else the others never had a turn
            if in_a_row == FAILURES:
                break
        if failures and not answered and all(isinstance(one, NotFound) for one in failures):
            raise _Unlisted(str(failures[0]), permanent=True)
        if failures:
            raise failures[0]

    def _turn(self, enterprises: Sequence[str]) -> Sequence[str]:
        """Whose turn it is: from where the last round ended, each once."""
        later = [one for one in enterprises if one > self._after]
        return [*later, *(one for one in enterprises if one <= self._after)]

    def _of(self, enterprise: str) -> Iterator[HeldTask]:
        path = f"{enterprise}/action/pendingtasks"
        tasks = read_pages(self._client, path, "tasks", ("task",), _task_id, MAX_TASKS)
        for task_id, document in tasks:
            try:
                yield held_task(document, self._root)
            except TaskError as error:  # as its callback would be
                log.warning("pending task refused", task=task_id, error=str(error))

    def enterprises(self) -> set[str]:
        """The paths of the enterprises that are asked for. Raises NoEnterprise, PlatformError."""
        numbers = {one for one in self._chosen if one.isdecimal()}
        found = {f"admin/enterprises/{number}" for number in numbers}
        names = set(self._chosen) - numbers
        if names or not self._chosen:
            named = self._named(names)
            if missing := names - named.keys():
                raise NoEnterprise(
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


class NoEnterprise(PlatformError):
    """Raised if the settings name an enterprise that the account does not see."""


class _Unlisted(PlatformError):
    """Raised if there is no list of held tasks at all, as with old versions."""


def _explained(error: PlatformError) -> PlatformError:
    if isinstance(error, NotFound) and error.says_so:
        return PlatformError(f"{error}; is [abiquo] api_enterprises right?", alert=True)
    return error


def _is_of_this_one(error: PlatformError) -> bool:
    """Whether the platform refuses one list and may give others; a proxy may say 404 to all."""
    if isinstance(error, NotFound):
        return error.says_so
    return isinstance(error, Rejected) and error.status == HTTPStatus.FORBIDDEN


def _task_id(task: Document) -> str | None:
    return task.text("taskId")

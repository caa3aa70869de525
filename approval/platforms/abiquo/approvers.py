"""Who may decide about the machines of an enterprise."""

import time
from collections.abc import Callable, Iterator, Sequence
from threading import Lock

from cachetools import TTLCache, cached

from approval.model import Person
from approval.platforms.abiquo.client import Client
from approval.platforms.abiquo.documents import Document
from approval.platforms.abiquo.pages import read_pages
from approval.platforms.abiquo.reader import KEPT_SECONDS, Reader
from approval.platforms.abiquo.users import key_of, may_act, person, role_of, role_path

MAX_USERS = 20_000
KEPT_SIZE = 1000
LISTS = {"users", "userswithroles"}


class Approvers:
    """Lists the users who hold one role. May be used by several threads."""

    def __init__(
        self,
        client: Client,
        reader: Reader,
        root: str,
        role: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._reader = reader
        self._root = root
        self._role = role
        kept: TTLCache[tuple[object, ...], tuple[Person, ...]]
        kept = TTLCache(KEPT_SIZE, KEPT_SECONDS, clock)
        self.of = cached(kept, lock=Lock())(self._of)  # failures are not kept

    def _of(self, enterprise: str) -> tuple[Person, ...]:
        """The approvers in the enterprise at this path. Raises PlatformError."""
        return tuple(
            person(user, key, self._role)
            for key, user in self._users(enterprise)
            if may_act(user) and self._role_of(user) == self._role
        )

    def _users(self, enterprise: str) -> Iterator[tuple[str, Document]]:
        """All users."""
        return read_pages(
            self._client,
            f"{enterprise}/users",
            "users",
            ("user", "userWithRole"),
            lambda user: key_of(user, enterprise, self._root),
            MAX_USERS,
            lists=LISTS,
        )

    def _role_of(self, user: Document) -> str | None:
        if path := role_path(user, self._root):
            return self._reader.get(path, "role").text("name")
        return role_of(user)


def in_all(groups: Sequence[Sequence[Person]]) -> list[Person]:
    """The people of the first group who are in every other too.

    An address makes a person; who has none is known by their account.
    """
    people: dict[str, Person] = {}
    for one in groups[0] if groups else ():
        people.setdefault(_identity(one), one)
    others = [{_identity(one) for one in group} for group in groups[1:]]
    return [people[one] for one in people if all(one in other for other in others)]


def _identity(one: Person) -> str:
    return one.address.lower() if one.address else one.key

"""What was read for a description, and a note of what could not be had."""

from collections.abc import Mapping

from approval.platforms import PlatformError
from approval.platforms.abiquo.documents import Document
from approval.platforms.abiquo.reader import Answer


class Gathered:
    """Answers by path; asking for one that failed notes it, in words for people."""

    def __init__(self, by_path: Mapping[str, Answer]) -> None:
        self._by_path = dict(by_path)
        self._missing: dict[str, list[str]] = {}
        self.transient = False

    def add(self, by_path: Mapping[str, Answer]) -> None:
        self._by_path |= by_path

    def __contains__(self, path: str) -> bool:
        return path in self._by_path

    def peek(self, path: str) -> Document | None:
        """The answer for this path, if there was a good one."""
        answer = self._by_path.get(path)
        return None if isinstance(answer, PlatformError) else answer

    def take(self, path: str, what: str, of: str = "") -> Document | None:
        """The answer for this path; if it failed, "`what` of `of`" is missing."""
        answer = self._by_path.get(path)
        if isinstance(answer, PlatformError):
            self.miss(what, of)
            self.transient |= not answer.permanent
            return None
        return answer

    def miss(self, what: str, of: str = "") -> None:
        names = self._missing.setdefault(what, [])
        if of not in names:
            names.append(of)

    @property
    def missing(self) -> tuple[str, ...]:
        """Each kind of thing once: "disks of web-01 and 2 more machines"."""
        return tuple(_words(what, names) for what, names in self._missing.items())


def _words(what: str, names: list[str]) -> str:
    if names == [""]:
        return what
    more = len(names) - 1
    tail = f" and {more} more machine{'s' if more > 1 else ''}" if more else ""
    return f"{what} of {names[0]}{tail}"

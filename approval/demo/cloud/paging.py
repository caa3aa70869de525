"""Long lists, a page at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from approval.demo.cloud.documents.document import Link
from approval.demo.cloud.refusal import Refusal

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    items: Sequence[T]
    start: int
    limit: int
    total: int

    def links(self, path: str, query: Mapping[str, str]) -> list[Link]:
        """Where the other pages are; the query's filters are repeated."""
        starts = {"first": 0, "previous": max(self.start - self.limit, 0) if self.start else None}
        if self.start + self.limit < self.total:
            starts["next"] = self.start + self.limit
        starts["last"] = (self.total - 1) // self.limit * self.limit if self.total else 0
        filters = {name: value for name, value in query.items() if name != "startwith"}
        filters = {"limit": str(self.limit), "by": "name"} | filters
        return [
            Link(rel, f"{path}?{urlencode(_from(start, rel) | filters)}")
            for rel, start in starts.items()
            if start is not None
        ]


def _from(start: int, rel: str) -> dict[str, str]:
    return {} if rel == "first" else {"startwith": str(start)}


def cut(items: Sequence[T], query: Mapping[str, str]) -> Page[T]:
    """The page that a query asks for: 25 items unless it says otherwise, all with limit 0."""
    try:
        start, limit = int(query.get("startwith", 0)), int(query.get("limit", 25))
    except ValueError as error:
        raise Refusal(400, "400-BAD REQUEST", "Malformed paging parameter") from error
    limit = limit or max(len(items), 1)
    return Page(items[start : start + limit], start, limit, len(items))

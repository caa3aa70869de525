"""Long lists of the platform, page by page."""

from collections.abc import Callable, Collection, Iterator

from approval.platforms import PlatformError
from approval.platforms.abiquo.client import Client
from approval.platforms.abiquo.documents import Document

PAGE = 100


def read_pages(
    client: Client,
    path: str,
    entity: str,
    tags: tuple[str, ...],
    key: Callable[[Document], str | None],
    most: int,
    *,
    lists: Collection[str] = (),
) -> Iterator[tuple[str, Document]]:
    """Each item once, with its key. The platform's own links to pages are not followed.

    The list ends with a page that brings nothing new. In XML its element is the entity's or
    one of `lists`. Raises PlatformError, also midway.
    """
    seen: set[str] = set()
    received = 0
    while True:
        page = client.get(path, entity, {"startwith": str(received), "limit": str(PAGE)})
        items = page.items(*tags)
        if items is None or (page.tag or entity).lower() not in (entity, *lists):
            # What is no list must not pass for one on which there is nothing.
            raise PlatformError(f"GET {path}: the answer is no list of {entity}", alert=True)
        received += len(items)
        keyed = {key(item): item for item in items}
        fresh = {name: item for name, item in keyed.items() if name and name not in seen}
        yield from fresh.items()
        seen |= fresh.keys()
        if not fresh or _is_last(page, received):
            return
        if received > most:
            raise PlatformError(f"GET {path}: there are more than {most} {entity}", alert=True)


def _is_last(page: Document, received: int) -> bool:
    total = page.number("totalSize")
    return total is not None and received >= total and not page.links_to("next")

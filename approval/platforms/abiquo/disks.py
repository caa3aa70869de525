"""The disks and volumes of a machine."""

from collections.abc import Iterator

from approval.model import Disk
from approval.platforms.abiquo.documents import Document

BYTES_PER_MB = 2**20


class SizeMissing(ValueError):
    """Raised if the platform does not say how large a disk is."""


def disks(document: Document) -> list[Disk]:
    """The disks of a machine. Raises SizeMissing."""
    return list(_disks(document.items("disk", "harddisk") or [], "label", volume=False))


def volumes(document: Document) -> list[Disk]:
    """The volumes that are attached to a machine. Raises SizeMissing."""
    return list(_disks(document.items("volume") or [], "name", volume=True))


def template_disk(machine: Document) -> Disk | None:
    """The system disk as platforms before 3.0 tell it: on the machine, not among its disks."""
    size = machine.number("hdInBytes")
    return Disk(size_mb=size // BYTES_PER_MB, system=True) if size else None


def _disks(items: list[Document], name: str, *, volume: bool) -> Iterator[Disk]:
    for item in sorted(items, key=lambda item: item.number("sequence") or 0):
        # Disks spell it with a small b, volumes with a capital one.
        size = item.number("sizeInMB" if volume else "sizeInMb")
        if size is None:
            raise SizeMissing
        system = item.number("sequence") == 0
        yield Disk(size_mb=size, name=item.text(name), volume=volume, system=system)

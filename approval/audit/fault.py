"""A fault that an inspection found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """What is wrong where; without `position` it is the request's own row or one of its tasks."""

    request_id: str
    position: int | None
    what: str

    def __str__(self) -> str:
        where = f" event {self.position}" if self.position is not None else ""
        return f"request {self.request_id}{where}: {self.what}"

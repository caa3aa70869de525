"""What goes wrong between a client and the platform, on purpose."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that befalls the next `times` calls that match; for ever if None.

    After `delay` seconds it answers with `status` or drops the connection; with neither of them
    the platform is only slow. `after`: the platform acts first, and then all this happens.
    """

    method: str | None = None
    path: str = ""  # a regular expression, searched for in the path
    status: int | None = None
    drop: bool = False
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = False
    delay: float = 0.0
    times: int | None = 1

    def befalls(self, method: str, path: str) -> bool:
        return self.method in (None, method) and re.search(self.path, path) is not None


class Faults:
    """The faults to come. `latency`, in seconds, is for every answer; `down` drops every call."""

    def __init__(self, *plan: Fault, latency: float = 0.0, down: bool = False) -> None:
        self.latency = latency
        self.down = down
        self._lock = threading.Lock()
        self._plan: list[tuple[Fault, int | None]] = []
        self.plan(*plan)

    def plan(self, *faults: Fault) -> None:
        """Add faults; of those that match a call, the first one befalls it."""
        with self._lock:
            self._plan += [(fault, fault.times) for fault in faults]

    @property
    def planned(self) -> list[Fault]:
        """The faults that have not befallen all their calls yet."""
        with self._lock:
            return [fault for fault, _ in self._plan]

    def clear(self) -> None:
        """Everything works from now on."""
        with self._lock:
            self.latency, self.down, self._plan = 0.0, False, []

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that befalls this call, which counts as one of its times."""
        if self.down:
            return Fault(drop=True)
        if not self._plan:
            return None
        with self._lock:
            return self._take(method, path)

    def _take(self, method: str, path: str) -> Fault | None:
        for place, (fault, left) in enumerate(self._plan):
            if fault.befalls(method, path):
                if left == 1:
                    del self._plan[place]
                elif left:
                    self._plan[place] = (fault, left - 1)
                return fault
        return None

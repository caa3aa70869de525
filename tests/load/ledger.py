"""What was asked of the gate, and how it answered."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Collection
from typing import Any

import requests

PATIENCE = 30.0  # seconds; a platform would have given up after ten


class Ledger:
    """Asks, and writes down every answer by what it was asked for; `wrong` is what must not be."""

    def __init__(self, url: str) -> None:
        self.statuses: dict[str, Counter[int]] = defaultdict(Counter)
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.wrong: list[str] = []
        self._url = url
        self._lock = threading.Lock()

    def ask(
        self, what: str, method: str, path: str, wanted: Collection[int], **options: Any
    ) -> requests.Response | None:
        """Ask; any answer but those wanted is wrong, and so is none."""
        url = path if path.startswith("http") else f"{self._url}{path}"
        begun = time.monotonic()
        try:
            answer = requests.request(method, url, timeout=PATIENCE, **options)
        except requests.RequestException as error:
            self.blame(f"{what} was not answered: {type(error).__name__}")
            return None
        self._write(what, answer.status_code, time.monotonic() - begun)
        if answer.status_code not in wanted:
            self.blame(f"{what} was answered {answer.status_code}: {answer.text[:200]}")
        return answer

    def blame(self, words: str) -> None:
        with self._lock:
            self.wrong.append(words)

    def _write(self, what: str, status: int, seconds: float) -> None:
        with self._lock:
            self.statuses[what][status] += 1
            self.seconds[what].append(seconds)

"""What the gate's process holds: memory, open files, threads; and how much it computes."""

import os
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MB = 1e6


@dataclass(frozen=True)
class Sample:
    at: float
    memory: float  # MB, resident
    files: int
    threads: int
    computed: float  # seconds since its start


@dataclass(frozen=True)
class Trend:
    """Medians of the middle and the last third of a run; the first third is for warming up."""

    middle: float
    last: float

    @property
    def growth(self) -> float:
        return self.last - self.middle

    def __str__(self) -> str:
        return f"{self.middle:.4g} → {self.last:.4g}"


class Gauge:
    """Takes samples of a process until it is stopped."""

    def __init__(self, pid: int, every: float) -> None:
        self._folder = Path(f"/proc/{pid}")
        self._every = every
        self._over = threading.Event()
        self.samples: list[Sample] = []
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def trend(self, name: str) -> Trend:
        """How one of the figures went."""
        values = [getattr(sample, name) for sample in self.samples]
        third = len(values) // 3
        return Trend(_median(values[third : 2 * third]), _median(values[2 * third :]))

    @property
    def load(self) -> float:
        """How much of one processor it used."""
        first, last = self.samples[0], self.samples[-1]
        return (last.computed - first.computed) / (last.at - first.at)

    def _watch(self) -> None:
        while not self._over.wait(self._every):
            self.samples.append(self._sample())

    def _sample(self) -> Sample:
        lines = (self._folder / "status").read_text("ascii").splitlines()
        status = dict(line.split(":", 1) for line in lines)
        # After the name, which may hold anything, come the fields from the third one on.
        stat = (self._folder / "stat").read_text("ascii").rpartition(")")[2].split()
        return Sample(
            at=time.monotonic(),
            memory=int(status["VmRSS"].split()[0]) * 1024 / MB,
            files=len(os.listdir(self._folder / "fd")),
            threads=int(status["Threads"]),
            computed=(int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"),
        )


def _median(values: Sequence[float]) -> float:
    return float(statistics.median(values))

"""Figures for Prometheus: what this process counted since its start, and what waits in the store.

Only what waits is the same whichever process is asked; the others know nothing of what workers do.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from approval.clock import Clock
from approval.store import jobs, pending, wakes
from approval.store.database import Database, StoreDown


class Metrics:
    """The counters, and the registry that holds them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._clock = clock
        self.registry = CollectorRegistry()
        self.callbacks = Counter(
            "approval_callbacks", "Callbacks by HTTP status.", ["status"], registry=self.registry
        )
        self.decisions = Counter(
            "approval_decisions", "Tasks decided by people.", ["action"], registry=self.registry
        )
        self.jobs = Counter(
            "approval_jobs",
            "Jobs run by this process, by kind and end.",
            ["kind", "end"],
            registry=self.registry,
        )
        self.rounds = Gauge(
            "approval_last_round_timestamp_seconds",
            "When what is done again and again last worked in this process, by kind.",
            ["kind"],
            registry=self.registry,
        )
        self.registry.register(_Backlog(database, clock))

    def seconds_since(self, kind: str) -> float | None:
        """How long ago a round of this kind last worked; None if none has since the start."""
        at = self.registry.get_sample_value("approval_last_round_timestamp_seconds", {"kind": kind})
        return None if at is None else self._clock().timestamp() - at


class _Backlog(Collector):
    """Reads the store when somebody asks."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def describe(self) -> list[Metric]:
        return []  # so that registering does not read the store

    def collect(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("approval_jobs_waiting", "Jobs to do.", labels=["kind"])
        oldest = GaugeMetricFamily(
            "approval_jobs_oldest_seconds", "Age of the oldest job to do.", labels=["kind"]
        )
        parked = GaugeMetricFamily(
            "approval_jobs_parked", "Jobs that wait for an operator.", labels=["kind"]
        )
        undecided = GaugeMetricFamily("approval_tasks_pending", "Tasks that nobody has decided.")
        up = GaugeMetricFamily("approval_store_up", "Whether the store answers.")
        try:
            with self._database.read() as session:
                backlog = jobs.backlog(session)
                undecided.add_metric([], pending.count(session))
                behind = wakes.backlog(session) if self._database.hands_over else None
            up.add_metric([], 1)
        except StoreDown:
            backlog, behind = [], None
            up.add_metric([], 0)
        for entry in backlog:
            waiting.add_metric([entry.kind], entry.waiting)
            parked.add_metric([entry.kind], entry.parked)
            if entry.oldest is not None:
                age = (self._clock() - entry.oldest).total_seconds()
                oldest.add_metric([entry.kind], max(age, 0))  # what is done again is of later
        yield from (up, undecided, waiting, oldest, parked)
        if behind:
            age = (self._clock() - behind.oldest).total_seconds() if behind.oldest else 0
            yield GaugeMetricFamily(
                "approval_wakes_waiting", "Changes to hand over to Temporal.", behind.waiting
            )
            yield GaugeMetricFamily(
                "approval_wakes_oldest_seconds", "Age of the oldest change to hand over.", age
            )

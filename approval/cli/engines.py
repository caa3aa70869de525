"""Engines from the settings. The library of one that is not chosen is never imported."""

from datetime import timedelta

from approval.clock import utc_now
from approval.config import Config
from approval.engine import Engine
from approval.engine.embedded import Embedded
from approval.engine.jobs import Jobs
from approval.gate.purge import EVERY
from approval.store.database import Database
from approval.store.jobs import Kind


def open_database(
    config: Config, *, connections: int = 20, patient: bool = False, reading: bool = False
) -> Database:
    """The store, from which a chosen engine outside the gate hears of every change."""
    return Database(
        config.database,
        connections=connections,
        patient=patient,
        reading=reading,
        hands_over=config.engine.kind == "temporal",
    )


def rounds_of(config: Config) -> dict[Kind, timedelta]:
    """What is done again and again, and how often."""
    every = {Kind.RECONCILE: config.engine.reconcile_every}
    if config.policy.purge_after:
        every[Kind.PURGE] = EVERY
    return every


def build_engine(config: Config, database: Database, jobs: Jobs) -> Engine:
    """The configured engine."""
    threads = config.engine.threads
    engine: Engine
    if config.engine.kind == "temporal":
        from approval.engine.temporal.worker import TemporalEngine

        platform = config.platform_name
        engine = TemporalEngine(config.temporal, jobs, database, platform, threads, utc_now)
    else:
        engine = Embedded(jobs, threads)
    return engine

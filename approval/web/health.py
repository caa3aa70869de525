"""For machines that watch the gate: alive, ready, figures."""

from collections.abc import Callable
from datetime import datetime

import structlog
from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from approval.clock import Clock
from approval.metrics import Metrics
from approval.store import jobs, wakes
from approval.store.database import Database, StoreDown

log = structlog.get_logger("approval.web")


def health_routes(
    database: Database, engine_alive: Callable[[], bool] | None, metrics: Metrics, clock: Clock
) -> Blueprint:
    """The routes; without `engine_alive` other processes do the work.

    An unreachable platform does not make the gate unready: it can still record. Nor does an
    engine outside the gate; how far it is behind is told.
    """
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return {"alive": True}

    @routes.get("/readyz")
    def readyz() -> ResponseReturnValue:
        engine = engine_alive() if engine_alive else None
        try:
            with database.read() as session:
                backlog = {entry.kind: entry for entry in jobs.backlog(session)}
                behind = wakes.backlog(session) if database.hands_over else None
        except StoreDown as error:
            log.error("store down", error=str(error))
            return {"ready": False, "store": "down", "engine": engine}, 503
        release = backlog.get(jobs.Kind.RELEASE)
        answer: dict[str, object] = {
            "ready": engine is not False,
            "store": "up",
            "engine": engine,
            "oldest_undelivered_seconds": _age(release.oldest if release else None, clock()),
            "reconciled_seconds_ago": metrics.seconds_since(jobs.Kind.RECONCILE),
            "parked": sum(entry.parked for entry in backlog.values()),
        }
        if behind:
            answer["wakes_waiting"] = behind.waiting
            answer["oldest_wake_seconds"] = _age(behind.oldest, clock())
        return answer, 503 if engine is False else 200

    @routes.get("/metrics")
    def figures() -> ResponseReturnValue:
        return Response(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)

    return routes


def _age(since: datetime | None, now: datetime) -> float:
    return (now - since).total_seconds() if since else 0

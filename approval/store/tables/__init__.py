"""The tables. Times are aware and UTC; values of the model lie in JSON columns."""

from approval.store.tables.approvals import APPROVERS, REQUESTS, TASKS, VOTES
from approval.store.tables.base import METADATA, TIME, UTCDateTime, Value
from approval.store.tables.events import EVENTS
from approval.store.tables.jobs import JOBS, WAKES
from approval.store.tables.memory import ALERTS, MACHINES

__all__ = [
    "ALERTS",
    "APPROVERS",
    "EVENTS",
    "JOBS",
    "MACHINES",
    "METADATA",
    "REQUESTS",
    "TASKS",
    "TIME",
    "VOTES",
    "WAKES",
    "UTCDateTime",
    "Value",
]

"""The tables. Times are aware and UTC; values of the model lie in JSON columns."""

from typing import cast

import sqlalchemy as sa

from approval.store.tables.approvals import ApproverRow, RequestRow, TaskRow, VoteRow
from approval.store.tables.base import Base, UTCDateTime, Value
from approval.store.tables.events import EventRow
from approval.store.tables.jobs import JobRow, WakeRow
from approval.store.tables.memory import AlertRow, MachineRow

__all__ = [
    "ALERTS",
    "APPROVERS",
    "EVENTS",
    "JOBS",
    "MACHINES",
    "REQUESTS",
    "TASKS",
    "VOTES",
    "WAKES",
    "AlertRow",
    "ApproverRow",
    "Base",
    "EventRow",
    "JobRow",
    "MachineRow",
    "RequestRow",
    "TaskRow",
    "UTCDateTime",
    "Value",
    "VoteRow",
    "WakeRow",
]

# As plain tables, for what runs with every callback, press and job.
REQUESTS, TASKS, APPROVERS, VOTES, EVENTS, JOBS, MACHINES, ALERTS, WAKES = (
    cast(sa.Table, row.__table__)
    for row in (
        *(RequestRow, TaskRow, ApproverRow, VoteRow, EventRow, JobRow),
        *(MachineRow, AlertRow, WakeRow),
    )
)

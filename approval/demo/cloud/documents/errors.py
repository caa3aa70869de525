"""Refusals as documents."""

from approval.demo.cloud.documents.document import Document
from approval.demo.cloud.refusal import Refusal

STATE_IDS = {"NOT_ALLOCATED": 1, "ON": 4, "PAUSED": 5, "OFF": 6, "LOCKED": 7}


def error(refusal: Refusal) -> Document:
    fields = {"code": refusal.code, "message": refusal.message}
    return Document("error", "errors", items=[Document("error", "error", fields)])

"""`POST /callback`: a platform announces what it holds."""

import structlog
from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from prometheus_client import Counter
from werkzeug.exceptions import RequestEntityTooLarge

from approval.clock import Clock
from approval.gate.receive import NoRoom, receive
from approval.gate.room import Room
from approval.platforms import CallbackError, Platform
from approval.store.database import Database
from approval.web.callers import CallerRefused, Callers

BODY_LIMIT = 2**20  # bytes
COME_AGAIN = "300"  # seconds; until then people may have decided something
HEADERS = {
    401: {"WWW-Authenticate": 'Basic realm="approval gate"'},
    503: {"Retry-After": COME_AGAIN},
}
log = structlog.get_logger("approval.web")


def callback_routes(
    database: Database,
    platform: Platform,
    room: Room,
    callers: Callers,
    clock: Clock,
    counter: Counter,
) -> Blueprint:
    """The routes; who may not call is refused before anything is read or stored."""
    routes = Blueprint("callback", __name__)

    @routes.post("/callback", defaults={"secret": None})
    @routes.post("/callback/", defaults={"secret": ""})
    @routes.post("/callback/<secret>")
    def callback(secret: str | None) -> ResponseReturnValue:
        callers.admit(request, secret)
        # One byte more than the limit is let through, because Flask cuts a chunked body off
        # at the limit instead of refusing it.
        body = request.get_data()
        if len(body) > BODY_LIMIT:
            raise RequestEntityTooLarge
        callers.verify(request, body)
        received = receive(database, platform, room, body, dict(request.headers), clock())
        answer = {"request": received.request_id, "tasks": received.task_ids}
        return answer, 202 if received.new else 200

    @routes.errorhandler(CallerRefused)
    def refused(error: CallerRefused) -> ResponseReturnValue:
        log.warning("callback refused", reason=str(error))
        return _refuse(error.status, str(error))

    @routes.errorhandler(CallbackError)
    def unreadable(error: CallbackError) -> ResponseReturnValue:
        log.warning("callback unreadable", reason=str(error))
        return _refuse(400, str(error))

    @routes.errorhandler(RequestEntityTooLarge)
    def too_long(error: RequestEntityTooLarge) -> ResponseReturnValue:
        return _refuse(413, f"the body is longer than {BODY_LIMIT} bytes")

    @routes.errorhandler(NoRoom)
    def turned_away(error: NoRoom) -> ResponseReturnValue:
        log.warning("callback turned away", reason=str(error))
        return _refuse(503, str(error))

    def _refuse(status: int, reason: str) -> ResponseReturnValue:
        return {"error": reason}, status, HEADERS.get(status, {})

    @routes.after_request
    def count(response):  # type: ignore[no-untyped-def] # Flask's own signature
        counter.labels(str(response.status_code)).inc()
        return response

    return routes

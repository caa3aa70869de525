"""The REST API as a blueprint: who calls, what is wanted, in which format it is answered."""

from collections.abc import Callable

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from approval.demo.cloud import ordering, reading
from approval.demo.cloud.accept import Wanted, format_of, negotiate
from approval.demo.cloud.access import Access
from approval.demo.cloud.documents import errors, tasks
from approval.demo.cloud.documents.document import Document, write
from approval.demo.cloud.lookup import Lookup
from approval.demo.cloud.refusal import Refusal
from approval.demo.cloud.workflow import Workflow
from approval.demo.cloud.world import World

CHALLENGE = {"WWW-Authenticate": 'Basic realm="Abiquo"'}


def create_api(world: World, workflow: Workflow, location: Callable[[], str]) -> Blueprint:
    """`location` is what absolute hrefs begin with."""
    api = Blueprint("api", __name__, url_prefix="/api")
    access = Access(world)
    writer = Writer(world, location)

    @api.before_request
    def identify() -> ResponseReturnValue | None:
        g.caller = access.identify(request.headers.get("Authorization", ""))
        return None if g.caller else (_page(401), 401, CHALLENGE)

    @api.after_request
    def hand_out_token(response: Response) -> Response:
        if g.caller:
            response.headers["X-Abiquo-Token"] = access.token(g.caller)
        return response

    @api.get("/version")
    def version() -> ResponseReturnValue:
        return Response(world.personality.version, mimetype="text/plain")

    @api.errorhandler(Refusal)
    def refuse(error: Refusal) -> Response:
        format = format_of(request.headers.get("Accept"), world.personality)
        return writer.answer(errors.error(error), Wanted("error", format), error.status)

    @api.errorhandler(HTTPException)
    def fail(error: HTTPException) -> ResponseReturnValue:
        return _page(error.code or 500), error.code or 500

    for path, (view, kinds) in reading.ROUTES.items():
        api.add_url_rule(path, path, _reader(world, writer, view, kinds))
    for (method, path), order in ordering.ROUTES.items():
        taker = _taker(world, workflow, writer, order)
        api.add_url_rule(path, method + path, taker, methods=[method])
    return api


def _page(status: int) -> str:
    """What a servlet container says: no errors document."""
    return (
        f"<html><head><title>Error</title></head><body><h1>HTTP Status {status}</h1></body></html>"
    )


class Writer:
    """Turns documents into answers."""

    def __init__(self, world: World, location: Callable[[], str]) -> None:
        self._world = world
        self._location = location

    def answer(self, document: Document, wanted: Wanted, status: int = 200) -> Response:
        body = write(document, wanted.format, f"{self._location()}/")
        version = self._world.personality.version
        media_type = f"application/vnd.abiquo.{wanted.kind}+{wanted.format}; version={version}"
        return Response(body, status, content_type=media_type)


def _reader(
    world: World, writer: Writer, view: reading.View, kinds: tuple[str, ...]
) -> Callable[..., Response]:
    def read(**ids: int | str) -> Response:
        wanted = negotiate(request.headers.get("Accept"), kinds, world.personality)
        with world.lock:
            document = view(reading.Question(world, g.caller, wanted.kind, request.args), **ids)
        return writer.answer(document, wanted)

    return read


def _taker(
    world: World, workflow: Workflow, writer: Writer, order: ordering.Order
) -> Callable[..., Response]:
    def take(**ids: int | str) -> Response:
        with world.lock:
            begun = order(workflow, g.caller, Lookup(world, g.caller), **ids)
        if begun is None:
            return Response(status=204)
        format = format_of(request.headers.get("Accept"), world.personality)
        return writer.answer(tasks.accepted(begun), Wanted("acceptedrequest", format), 202)

    return take

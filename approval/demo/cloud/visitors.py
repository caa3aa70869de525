"""For programs that come by: whether this is a demo, and a way to bring tasks along."""

from collections.abc import Callable

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from approval.platforms import CallbackError


def create_visitors(
    adopt: Callable[[bytes], list[str]], callback_url: Callable[[], str | None]
) -> Blueprint:
    visitors = Blueprint("visitors", __name__)

    @visitors.get("/about")
    def about() -> ResponseReturnValue:
        return {"demo": True, "callback": callback_url()}

    @visitors.post("/adopt")
    def bring() -> ResponseReturnValue:
        """Hold the tasks of a callback, as if they had been begun here."""
        try:
            return {"tasks": adopt(request.get_data())}
        except (CallbackError, ValueError) as error:
            return {"error": str(error)}, 400

    return visitors

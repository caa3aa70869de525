"""The web application: routes, errors as pages, one log line for each request."""

import secrets
import time
from collections.abc import Sequence

import structlog
from flask import Blueprint, Flask, Response, g, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from approval.gate.vote import NotAsked
from approval.links import LinkInvalid
from approval.rendering import TemplateError
from approval.store.database import StoreDown
from approval.web.callback import BODY_LIMIT
from approval.web.pages import Pages

log = structlog.get_logger("approval.web")


def create_app(pages: Pages, blueprints: Sequence[Blueprint], trusted_proxies: int = 0) -> Flask:
    """Put the application together."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT + 1
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    app.add_url_rule("/", view_func=lambda: pages.page("home"))
    app.before_request(_start)
    app.after_request(_log)
    app.after_request(pages.protect)
    _register_errors(app, pages)
    if trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=trusted_proxies)  # type: ignore[method-assign] # Flask's documented way
    return app


def _register_errors(app: Flask, pages: Pages) -> None:
    """One page for each family of errors."""

    @app.errorhandler(NotAsked)
    @app.errorhandler(LinkInvalid)
    @app.errorhandler(404)
    def not_found(error: Exception) -> ResponseReturnValue:
        return pages.page("not_found", 404)

    @app.errorhandler(StoreDown)
    def store_down(error: StoreDown) -> ResponseReturnValue:
        log.error("store down", error=str(error))
        reason = (
            "The database cannot be reached just now. Please try again: a decision counts once."
        )
        return _answer(503, "Not now", reason, {"Retry-After": "5"})

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> ResponseReturnValue:
        headers = {k: v for k, v in error.get_headers() if k.lower() == "allow"}
        return _answer(error.code or 500, error.name, str(error.description), headers)

    @app.errorhandler(Exception)
    def broken(error: Exception) -> ResponseReturnValue:
        log.exception("request broke", path=_route())
        reason = (
            "Something went wrong on our side. If you had pressed a button, open the link again: "
            "it tells whether your decision was recorded."
        )
        return _answer(500, "Something went wrong", reason, {})

    def _answer(
        status: int, title: str, reason: str, headers: dict[str, str]
    ) -> ResponseReturnValue:
        """JSON for programs that call back, a page for people."""
        if request.path.startswith("/callback"):
            return {"error": reason, "reference": g.id}, status, headers
        try:
            response = pages.page("error", status, title=title, reason=reason, reference=g.id)
        except TemplateError:  # an operator's own base page may break every page
            text = f"{title}. {reason} Reference: {g.id}"
            response = Response(text, status, mimetype="text/plain")
        response.headers.update(headers)
        return response


def _start() -> None:
    g.id = secrets.token_hex(4)
    structlog.contextvars.clear_contextvars()  # those of the thread's last request
    structlog.contextvars.bind_contextvars(request_id=g.id)
    g.started = time.perf_counter()


def _log(response: Response) -> Response:
    log.info(
        "request",
        method=request.method,
        path=_route(),
        status=response.status_code,
        milliseconds=round((time.perf_counter() - g.started) * 1000, 1),
        address=request.remote_addr,
    )
    return response


def _route() -> str:
    """The path without what is secret in it: queries hold tokens, /callback/… a secret."""
    return request.url_rule.rule if request.url_rule else "(no route)"

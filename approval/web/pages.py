"""Pages: rendered with their one style sheet, and the headers that every answer carries."""

import base64
import hashlib
from typing import Any

from flask import Response
from markupsafe import Markup

from approval.rendering import Templates


class Pages:
    """Renders pages. The style is constant, so the policy names it by its hash."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._style = templates.render("page/style.css.html").strip()
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        self._headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; "
            "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            "Referrer-Policy": "no-referrer",  # the token is in the URL
            "X-Content-Type-Options": "nosniff",
            "X-Robots-Tag": "noindex, nofollow",
        }

    def page(self, name: str, status: int = 200, **context: Any) -> Response:
        """Answer with a page."""
        # Our own file, not anybody's input.
        style = Markup(self._style)  # noqa: S704  # nosec B704
        html = self._templates.render(
            f"page/{name}.html",
            style=style,
            **context,
        )
        return Response(html, status, mimetype="text/html")

    def protect(self, response: Response) -> Response:
        """Add the headers that keep links from leaking and pages from being framed or scripted."""
        response.headers.update(self._headers)
        return response

"""Strangers: who tries link after link has to wait; a link that we signed is always answered."""

import math
from datetime import timedelta

from flask import Blueprint, Response

from approval.allowance import Allowance
from approval.clock import Clock
from approval.gate.vote import NotAsked
from approval.links import LinkInvalid
from approval.web.access import Door, sent
from approval.web.addresses import client_group
from approval.web.pages import Pages


class Strangers:
    """Counts wrong links by address, and answers them: 404, and 429 when it is too many."""

    def __init__(self, allowance: Allowance, door: Door, pages: Pages, clock: Clock) -> None:
        self._allowance = allowance
        self._door = door
        self._pages = pages
        self._clock = clock

    def guard(self, routes: Blueprint) -> None:
        """Stand before these routes."""
        routes.before_request(self._hold_off)
        routes.register_error_handler(LinkInvalid, self._count)
        routes.register_error_handler(NotAsked, self._count)

    def _hold_off(self) -> Response | None:
        """Look up nothing for whoever has to wait, unless their link is one of ours."""
        wait = self._allowance.wait(client_group(), self._clock())
        return self._too_many(wait) if wait and not self._door.signed(sent()) else None

    def _count(self, error: Exception) -> Response:
        wait = self._allowance.take(client_group(), self._clock())
        return self._too_many(wait) if wait else self._pages.page("not_found", 404)

    def _too_many(self, wait: timedelta) -> Response:
        page = self._pages.page(
            "error",
            429,
            title="Too many wrong links",
            reason="Too many wrong links came from your address. Please wait a minute; "
            "the link of your mail, whole as it came, works all the same.",
            reference=None,
        )
        page.headers["Retry-After"] = str(math.ceil(wait.total_seconds()))
        return page

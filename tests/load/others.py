"""Others at the door: who watches the gate, who sends nonsense, who tries tokens."""

import random
import secrets
from itertools import cycle

from tests.load.ledger import Ledger

TOO_LARGE = b"<tasks>" + b" " * 1_200_000
MALFORMED = (
    b"",
    b"what?",
    b"[]",
    b"null",
    b"<tasks>",
    b"<tasks/>",
    b'{"collection": [{"taskId": "1"}]}',
    b'<!DOCTYPE tasks [<!ENTITY a SYSTEM "file:///etc/passwd">]><tasks>&a;</tasks>',
    "<tasks/>".encode("utf-16"),
    b"\x00\xff" * 500,
)
WATCHED = ("/healthz", "/readyz", "/metrics", "/")
REFUSED = (404, 429)
WATCHING, MALFORMED_ONES = "health and metrics", "malformed callbacks"


class Others:
    """Each of the methods asks once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._malformed = cycle(MALFORMED)
        self._watched = cycle(WATCHED)

    def watch(self) -> None:
        self._ledger.ask(WATCHING, "GET", next(self._watched), [200])

    def talk_nonsense(self) -> None:
        body = next(self._malformed)
        self._ledger.ask(MALFORMED_ONES, "POST", "/callback", [400], data=body)

    def send_too_much(self) -> None:
        self._ledger.ask("too large callbacks", "POST", "/callback", [413], data=TOO_LARGE)

    def try_a_token(self) -> None:
        """As a stranger; whoever tries many has to wait."""
        values = {"task": secrets.token_hex(16), "token": secrets.token_urlsafe(60)}
        method = random.choice(("GET", "POST"))  # noqa: S311 - not a secret
        where = "params" if method == "GET" else "data"
        self._ledger.ask("strangers", method, "/accept", REFUSED, **{where: values})

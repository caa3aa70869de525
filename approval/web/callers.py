"""Callers: who may announce tasks, by address, by secret and by signature."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from flask import Request

from approval.clock import Clock
from approval.web import signatures
from approval.web.addresses import client
from approval.web.signatures import SignatureWrong


class CallerRefused(Exception):
    """Raised if somebody may not call; `status` is 401, or 403 for the wrong place."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Callers:
    """What a caller has to show. Of secrets and keys all count, so that one can be replaced.

    Without secrets anybody may call who signs or comes from the right place.
    """

    clock: Clock
    secrets: Sequence[str] = ()
    networks: Sequence[IPv4Network | IPv6Network] = ()
    signing_keys: Sequence[bytes] = ()
    must_sign: bool = False

    def admit(self, request: Request, secret: str | None) -> None:
        """Check where a call comes from and its secret, before its body. Raises CallerRefused."""
        address = client()
        if self.networks and not any(address in network for network in self.networks if address):
            raise CallerRefused(403, f"{address or 'an unknown address'} may not call")
        if not self._is_known(request, secret):
            raise CallerRefused(401, "the callback secret is missing or wrong")

    def verify(self, request: Request, body: bytes) -> None:
        """Check the signature of a body, before it is read. Raises CallerRefused."""
        if not self.signing_keys or not (self.must_sign or signatures.is_signed(request.headers)):
            return
        try:
            signatures.check(request.headers, body, self.signing_keys, self.clock())
        except SignatureWrong as error:
            raise CallerRefused(401, str(error)) from error

    def _is_known(self, request: Request, secret: str | None) -> bool:
        if not self.secrets:
            return secret is None
        login = request.authorization
        shown = [secret or ""]
        if login and login.type == "basic":  # not as user name: logs of proxies name users
            shown.append(login.password or "")
        # Every pair is compared, so that the time taken tells nothing.
        return any(
            [hmac.compare_digest(s.encode(), k.encode()) for s in shown for k in self.secrets]
        )

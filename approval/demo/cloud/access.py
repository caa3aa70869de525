"""Who is calling."""

import base64
import binascii
import secrets

from approval.demo.cloud.things import User
from approval.demo.cloud.world import World


class Access:
    """Knows users by nick and password, or by a token they were given before."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tokens: dict[int, str] = {}
        self._holders: dict[str, User] = {}

    def identify(self, authorization: str) -> User | None:
        """The active user whom an Authorization header stands for."""
        scheme, _, value = authorization.partition(" ")
        user = None
        if scheme == "Basic":
            user = self._by_password(value)
        elif scheme == "Token":
            user = self._holders.get(value)
        return user if user and user.active else None

    def token(self, user: User) -> str:
        """What the user may send instead of the password from now on."""
        if user.id not in self._tokens:
            token = secrets.token_hex(16)
            self._tokens[user.id], self._holders[token] = token, user
        return self._tokens[user.id]

    def _by_password(self, value: str) -> User | None:
        try:
            nick, _, password = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        user = self._world.nicks.get(nick)
        return user if user and user.password == password else None

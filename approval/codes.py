"""Codes in mails: what stands in the mail and not in its links, so that who presses has read it."""

import hmac
from collections.abc import Sequence

from approval.model import Approver

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 signs that look like no other
LENGTH = 6


class Codes:
    """Makes and checks codes. `keys` run from the oldest to the newest, which makes them.

    A code belongs to one approver of one request and is the same in all mails about it. It
    comes from the links' keys by a way of its own, so a link does not tell it.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [hmac.digest(key.encode(), b"approval.code", "sha256") for key in keys]

    def code(self, approver: Approver) -> str:
        """The code, as it stands in a mail: "K7M 2QX"."""
        code = _derive(self._keys[-1], approver)
        return f"{code[: LENGTH // 2]} {code[LENGTH // 2 :]}"

    def fits(self, approver: Approver, typed: str) -> bool:
        """Whether this is the approver's code; capitals, spaces and dashes do not matter."""
        shown = _bare(typed).encode()
        # Every one is compared, so that the time taken tells nothing.
        return any(
            [hmac.compare_digest(_derive(key, approver).encode(), shown) for key in self._keys]
        )


def is_code(typed: str) -> bool:
    """Whether this could be somebody's code at all; anything else is a slip, not a guess."""
    bare = _bare(typed)
    return len(bare) == LENGTH and set(bare) <= set(ALPHABET)


def _bare(typed: str) -> str:
    return "".join(typed.split()).replace("-", "").upper()


def _derive(key: bytes, approver: Approver) -> str:
    holder = f"{approver.request_id}/{approver.id}".encode()
    digest = hmac.digest(key, holder, "sha256")
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:LENGTH])

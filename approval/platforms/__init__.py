"""The seam to the systems that hold tasks.

A platform is one package here and one line in `registry.py`. Its dialect stays in its
package; the gate speaks to it in the words of `model.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from approval.failures import Failure
from approval.findings import Finding
from approval.model import Action, Callback, Description, HeldTask, Person, Reading


class CallbackError(Exception):
    """Raised if a callback cannot be read; the message says which task and which field."""


class PlatformError(Failure):
    """Raised if the platform did not answer a call as it should.

    Permanent: the platform understood the call and said no for good. Alert: it refused
    our credentials or answered as if we were configured wrongly.
    """


class Platform(Protocol):
    """A system that holds tasks until it is told to go on; called from several threads."""

    name: str  # in lower case, as in the settings: "abiquo"
    title: str  # as people write it: "Abiquo"

    def read(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        """Read a callback. No outside call. Raises CallbackError."""

    def look(self, task: HeldTask) -> Reading:
        """Read the task back from the platform. Raises PlatformError when that cannot be told."""

    def held(self, *, whole: bool = False) -> Iterable[HeldTask] | None:
        """List what the platform holds, to find what was announced in vain; None if it cannot.

        What is not listed may be held all the same: only `look` tells. One call may ask a part
        of a large platform, and the next one go on; with `whole` it asks all. Raises
        PlatformError, also midway.
        """

    def describe(self, tasks: Sequence[HeldTask]) -> Description:
        """Tell what the tasks are about; never raises PlatformError but says what is missing."""

    def approvers(self, tasks: Sequence[HeldTask]) -> list[Person]:
        """List who may decide all of these tasks, each once and active.

        Who has no address is listed too, and so is the requester if they may. Raises
        PlatformError.
        """

    def release(self, task: HeldTask, action: Action, message: str, key: str) -> None:
        """Tell the platform to continue (accept) or cancel (decline) the task.

        `message` is shown in the platform's events; `key` is the same for every repetition
        of one call. Raises PlatformError: permanent if this call was refused for good.
        """

    def check(self) -> list[Finding]:
        """Try connection, credentials and privileges; say what was found. Never raises."""

    def close(self) -> None:
        """End what is held open. Nothing is asked afterwards."""

"""The section [policy]."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

from humanize import precisedelta
from pydantic import BeforeValidator, Field

from approval.config.values import Durations, OptionalDuration, action_or_ask, at_least, words
from approval.findings import Finding, warning
from approval.model import Action
from approval.section import Rules, Section


class Policy(Section):
    """What needs an approval, and whose."""

    guarded_types: Annotated[
        frozenset[str] | None,
        BeforeValidator(lambda value: [word.upper() for word in words(value)] or None),
    ] = Field(
        default=None,
        validate_default=False,
        description="Task types that need an approval, as DEPLOY, UNDEPLOY, RECONFIGURE; others "
        "are accepted at once. Empty: all need one.",
        examples=["DEPLOY, UNDEPLOY, RECONFIGURE"],
    )
    own_request: Annotated[Action | None, BeforeValidator(action_or_ask)] = Field(
        default=None,
        validate_default=False,
        description="What happens to requests of people who may approve: ask (the others are "
        "asked), accept or cancel.",
    )
    self_approval: bool = Field(
        default=False, description="yes: approvers are asked about their own requests too."
    )
    notify_requester: bool = Field(
        default=True, description="Whether requesters are told what became of their requests."
    )
    remind_after: Durations = Field(
        default=(timedelta(days=1), timedelta(days=3)),
        description="How long after their first mail approvers who have not decided are mailed "
        "again, with fresh links: as many times as lengths are named. never: they are not.",
    )
    decline_after: Annotated[OptionalDuration, at_least(timedelta(minutes=10))] = Field(
        default=None,
        validate_default=False,
        description="How long after the first mail the gate declines what nobody has decided. "
        "Pages and mails say until when that is; what they said stays when this is changed to "
        "another time. never: it stays pending. There is no way to have it accepted.",
    )
    purge_after: Annotated[OptionalDuration, at_least(timedelta(days=1))] = Field(
        default=None,
        validate_default=False,
        description="How long after its end a request keeps what is personal: names, addresses, "
        "comments, machines, the callback. What happened when stays, and can still be verified. "
        "As 365 days; never: nothing is removed.",
    )

    def rules(self) -> Rules:
        """What holds for several keys."""
        return (self._too_late(),)

    def _too_late(self) -> Iterator[Finding]:
        end = self.decline_after
        if end is None or "remind_after" not in self.model_fields_set:
            return
        late = [length for length in self.remind_after if length >= end]
        if late:
            yield warning(
                f"remind_after: {precisedelta(late[0])} is too late for a reminder, because "
                f"decline_after = {precisedelta(end)}; leave it out"
            )

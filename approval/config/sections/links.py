"""The section [links]."""

from collections.abc import Iterator
from datetime import timedelta

from pydantic import Field

from approval.findings import Finding, problem, warning
from approval.section import Rules, Section


class Links(Section):
    """The links in mails."""

    valid_days: int = Field(
        default=7, ge=1, le=90, description="How many days a link can be used to decide."
    )
    one_click: bool = Field(
        default=False,
        description="yes: opening a link decides, as in 2013. Mail scanners open every link, so "
        "they will decide too.",
    )
    signed: bool = Field(
        default=True,
        description="no: links without token work too, as in 2013. Whoever knows a task's id "
        "can then decide it.",
    )
    code: bool = Field(
        default=False,
        description="yes: a decision needs a short code that stands in the mail and not in its "
        "links, for estates whose mail scanners press buttons. Five wrong codes lock a person's "
        "links to that request until 'approval revoke --lift'.",
    )
    plain_http: bool = Field(
        default=False, description="yes: public_url may be http:// outside this machine."
    )
    wrong_per_minute: int = Field(
        default=60,
        ge=0,
        description="How many wrong links one address may try in a minute before it has to wait; "
        "links that the gate signed are always answered. 0: any number.",
    )

    def rules(self) -> Rules:
        """What holds for several keys, and what should not stay as it is."""
        return self._asked_for(), self._one_click(), self._unsigned()

    def _asked_for(self) -> Iterator[Finding]:
        if self.code and (self.one_click or not self.signed):
            yield problem(
                "code: nobody is asked for a code with one_click = yes or signed = no; "
                "leave these two out, or code"
            )

    def _one_click(self) -> Iterator[Finding]:
        if self.one_click:
            yield warning("one_click = yes: opening a link decides; mail scanners open every link")

    def _unsigned(self) -> Iterator[Finding]:
        if not self.signed:
            yield warning("signed = no: whoever knows or guesses a task's id can decide it")

    @property
    def valid(self) -> timedelta:
        """How long a link can be used to decide."""
        return timedelta(days=self.valid_days)

"""The section [links]."""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from approval.section import Section


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

    @model_validator(mode="after")
    def _code_is_asked_for(self) -> Self:
        if self.code and (self.one_click or not self.signed):
            raise ValueError(
                "code: nobody is asked for a code with one_click = yes or signed = no; "
                "leave these two out, or code"
            )
        return self

    @property
    def valid(self) -> timedelta:
        """How long a link can be used to decide."""
        return timedelta(days=self.valid_days)

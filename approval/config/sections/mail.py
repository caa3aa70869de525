"""The section [mail]."""

from collections.abc import Iterator
from email.utils import parseaddr

from pydantic import ConfigDict, Field, field_validator

from approval.addresses import is_address
from approval.findings import Finding, problem, warning
from approval.mail.smtp import Security
from approval.section import MISSING, OptionalFile, OptionalSecret, OptionalText, Rules, Section


class Mail(Section):
    """How mails leave, and what stands in them."""

    model_config = ConfigDict(populate_by_name=True)

    sender: str = Field(
        default="",
        alias="from",
        description="Who mails are from, as Approval gate <gate@example.com>.",
    )
    reply_to: OptionalText = Field(
        default=None,
        description="Where answers to mails go, if not to `from`: a person's address.",
        examples=["cloud-team@example.com"],
    )
    host: str = Field(default="localhost", description="The mail server.")
    port: int = Field(default=25, ge=1, le=65535, description="Its port; often 587 or 465.")
    security: Security = Field(
        default=Security.NONE,
        description="none, starttls (mostly port 587) or tls (mostly port 465). What is asked "
        "for is required, and the server has to prove who it is.",
    )
    username: OptionalText = Field(
        default=None,
        description="To log in, if the server wants it.",
        examples=["gate@example.com"],
    )
    password: OptionalSecret = Field(default=None, description="The password to log in.")
    ca_file: OptionalFile = Field(
        default=None,
        description="Certificates (PEM) to trust instead of the public authorities.",
        examples=["/etc/approval/mail.pem"],
    )
    timeout: float = Field(default=30, gt=0, le=60, description="Seconds for each step.")
    operator: OptionalText = Field(
        default=None, description="The address of whoever is told when something fails."
    )
    most_per_hour: int = Field(
        default=200,
        ge=0,
        description="How many mails one person gets in an hour; more wait for the next hour, and "
        "the operator is told. 0: any number.",
    )
    admin_subject: OptionalText = Field(
        default=None,
        description="The subject of mails to approvers; reminders and notes, which follow in its "
        "thread, answer to it with Re:. The gate's own says who wants what.",
        examples=["A request waits for your decision"],
    )
    requester_subject: OptionalText = Field(
        default=None,
        description="The subject of mails to requesters; the gate's own says what became of what.",
        examples=["Your request was decided"],
    )

    @field_validator("host")
    @classmethod
    def _is_a_host(cls, value: str) -> str:
        if not value or "/" in value or value.count(":") == 1:
            raise ValueError(
                "write a name or an IP address alone, as mail.example.com; the port is a key"
            )
        return value

    @field_validator("sender", "reply_to", "operator")
    @classmethod
    def _has_an_address(cls, value: str | None) -> str | None:
        if value == "":
            raise ValueError("is empty; write a mail address, as gate@example.com")
        if value is not None and not is_address(parseaddr(value)[1]):
            raise ValueError(f"{value!r} holds no mail address, as gate@example.com")
        return value

    def rules(self) -> Rules:
        """What has to be set, and what holds for several keys."""
        return (
            self._has_a_sender(),
            self._has_a_password(),
            self._keeps_the_password(),
            self._has_an_operator(),
        )

    def _has_a_sender(self) -> Iterator[Finding]:
        if not self.sender:
            yield problem(f"from: {MISSING}")

    def _has_a_password(self) -> Iterator[Finding]:
        if self.username and not self.password:
            yield warning("password: is not set, but username is; set both or none")

    def _keeps_the_password(self) -> Iterator[Finding]:
        local = self.host in ("localhost", "127.0.0.1", "::1")
        if self.username and self.security is Security.NONE and not local:
            yield problem(
                "security: a login must not travel in clear text; set it to starttls or tls"
            )

    def _has_an_operator(self) -> Iterator[Finding]:
        if not self.operator:
            yield warning("operator is not set: nobody is told by mail when something fails")

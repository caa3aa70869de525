"""The sections of `workflow.cfg`. Defaults and explanations stand here and nowhere else."""

import re
from datetime import timedelta
from email.utils import parseaddr
from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from approval.addresses import is_address
from approval.config import storing
from approval.config.values import (
    Duration,
    Durations,
    Networks,
    OptionalDuration,
    Secrets,
    SigningKeys,
    action,
    action_or_ask,
    at_least,
    words,
)
from approval.engine.temporal.settings import missing
from approval.mail.smtp import Security
from approval.model import Action
from approval.section import (
    OptionalFile,
    OptionalFolder,
    OptionalSecret,
    OptionalText,
    Section,
    none_if_empty,
)

WEB_ADDRESS = re.compile(r"https?://[^\s/?#@]+(/[^\s?#@]*)?")


class Server(Section):
    """The gate itself."""

    bind_address: str = Field(default="127.0.0.1", description="The address to listen on.")
    bind_port: int = Field(default=8080, ge=0, le=65535, description="The port to listen on.")
    public_url: OptionalText = Field(
        default=None,
        description="Where people and the platform reach the gate, as https://gate.example.com. "
        "Links in mails begin with it. A path is fine: https://intranet.example.com/gate.",
    )
    hostname: OptionalText = Field(
        default=None, description="As in 2013: without public_url, links lead to this host."
    )
    port: Annotated[int | None, BeforeValidator(none_if_empty)] = Field(
        default=None, description="As in 2013: without public_url, links lead to this port."
    )
    default_action: Annotated[Action, BeforeValidator(action)] = Field(
        default=Action.DECLINE,
        description="What happens when nobody can be asked: CANCEL or ACCEPT.",
    )
    database: str = Field(
        default="sqlite:///workflow.db",
        description="Where the gate keeps everything: a SQLite file, which lies beside this one if "
        "it is relative, or a PostgreSQL database, which several gates can share: "
        "postgresql://gate@db.example.com/approval?sslmode=verify-full, set up with "
        "'approval db upgrade'.",
    )
    database_password: OptionalSecret = Field(
        default=None, description="The password for a PostgreSQL database."
    )
    callback_secret: Secrets = Field(
        default=(),
        description="The platform calls /callback/SECRET, or /callback with SECRET as password of "
        "any user name. At least 22 characters; several, separated by spaces, from the oldest to "
        "the newest, while you change it: all count. Required unless bind_address is a loopback "
        "address or require_signature is yes.",
    )
    callback_from: Networks = Field(
        default=(),
        description="The addresses and networks that may call, as 10.1.2.3 2001:db8::/64. "
        "Empty: any. Behind reverse proxies set trusted_proxies too.",
    )
    webhook_secret: SigningKeys = Field(
        default=(),
        description="Checks callbacks that are signed as Standard Webhooks says: whsec_ and the "
        "key in base64; several, separated by spaces, from the oldest to the newest: all count.",
    )
    require_signature: bool = Field(
        default=False,
        description="yes: callbacks that are not signed are refused.",
    )
    secret_key: Secrets = Field(
        default=(),
        description="Signs the links. At least 22 characters; several, separated by spaces, from "
        "the oldest to the newest, which signs while all are known. If not set, keys are made and "
        "kept in the same order beside a SQLite file: see 'approval keys'. Required with "
        "PostgreSQL.",
    )
    most_pending: int = Field(
        default=10_000,
        ge=0,
        description="How many tasks may wait for a decision. Callbacks beyond are answered with "
        "503, the operator is told, and reconciling takes the tasks in as soon as there is room: "
        "a flood must neither fill the disk nor everybody's mailbox. 0: any number.",
    )
    templates: OptionalFolder = Field(
        default=None,
        description="A folder with your own templates; a file there replaces the gate's file of "
        "the same name. A relative folder lies beside this file.",
    )
    brand: str = Field(
        default="Approval gate", description="Your organisation's name on mails and pages."
    )
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        description="How many reverse proxies stand before the gate: whose X-Forwarded-For says "
        "who asks, for callback_from, [links] wrong_per_minute and the log.",
    )

    @field_validator("public_url")
    @classmethod
    def _is_a_web_address(cls, value: str | None) -> str | None:
        if value is not None and not WEB_ADDRESS.fullmatch(value):
            raise ValueError(
                "write an address as https://gate.example.com, without user, query or fragment"
            )
        return value

    @field_validator("database")
    @classmethod
    def _is_a_store(cls, value: str) -> str:
        return storing.checked(value)

    @model_validator(mode="after")
    def _can_check_signatures(self) -> Self:
        if self.require_signature and not self.webhook_secret:
            raise ValueError("require_signature: nothing can be checked without a webhook_secret")
        return self


class Mail(Section):
    """How mails leave, and what stands in them."""

    model_config = ConfigDict(populate_by_name=True)

    sender: str = Field(
        alias="from", description="Who mails are from, as Approval gate <gate@example.com>."
    )
    reply_to: OptionalText = Field(
        default=None, description="Where answers to mails go, if not to `from`: a person's address."
    )
    host: str = Field(default="localhost", description="The mail server.")
    port: int = Field(default=25, ge=1, le=65535, description="Its port; often 587 or 465.")
    security: Security = Field(
        default=Security.NONE,
        description="none, starttls (mostly port 587) or tls (mostly port 465). What is asked "
        "for is required, and the server has to prove who it is.",
    )
    username: OptionalText = Field(default=None, description="To log in, if the server wants it.")
    password: OptionalSecret = Field(default=None, description="The password to log in.")
    ca_file: OptionalFile = Field(
        default=None, description="Certificates (PEM) to trust instead of the public authorities."
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
        description="The subject of mails to approvers; the gate's own says who wants what.",
    )
    requester_subject: OptionalText = Field(
        default=None,
        description="The subject of mails to requesters; the gate's own says what became of what.",
    )

    @field_validator("sender", "reply_to", "operator")
    @classmethod
    def _has_an_address(cls, value: str | None) -> str | None:
        if value == "":
            raise ValueError("is empty; write a mail address, as gate@example.com")
        if value is not None and not is_address(parseaddr(value)[1]):
            raise ValueError(f"{value!r} holds no mail address, as gate@example.com")
        return value

    @model_validator(mode="after")
    def _keeps_the_password(self) -> Self:
        local = self.host in ("localhost", "127.0.0.1", "::1")
        if self.username and self.security is Security.NONE and not local:
            raise ValueError(
                "security: a login must not travel in clear text; set it to starttls or tls"
            )
        return self


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


class Engine(Section):
    """When and where the work outside web requests is done."""

    kind: Literal["embedded", "temporal"] = Field(
        default="embedded",
        description="embedded: threads of the gate. temporal: workflows of a Temporal that you "
        "run, see [temporal]. Changing it loses nothing.",
    )
    threads: int = Field(
        default=4,
        ge=1,
        le=64,
        description="Threads for each of three lanes: telling the platform, asking the platform, "
        "mailing. None waits for another, nor for the one thread that reconciles.",
    )
    give_up_after: Duration = Field(
        default=timedelta(days=3),
        description="How long to try before an operator is asked to see to it.",
    )
    reconcile_every: Annotated[Duration, at_least(timedelta(seconds=10))] = Field(
        default=timedelta(minutes=5),
        description="How often the platform is asked what it holds, to find what was announced "
        "in vain and what was decided there.",
    )

    @field_validator("kind")
    @classmethod
    def _is_installed(cls, value: str) -> str:
        if value == "temporal" and (lacking := missing()):
            raise ValueError(lacking)
        return value

"""The section [server]."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from approval.config import storing
from approval.config.values import Networks, Secrets, SigningKeys, action
from approval.findings import Finding, problem, warning
from approval.model import Action
from approval.section import (
    OptionalFolder,
    OptionalSecret,
    OptionalText,
    Rules,
    Section,
    leads_somewhere,
    none_if_empty,
)

HOST = re.compile(r"[^\s/?#@:]+|\[[^\s/?#@]+\]")
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
        default=None,
        description="As in 2013: without public_url, links lead to this host.",
        examples=["gate.example.com"],
    )
    port: Annotated[int | None, BeforeValidator(none_if_empty)] = Field(
        default=None,
        description="As in 2013: without public_url, links lead to this port.",
        examples=["8080"],
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
        examples=["10.1.2.3 2001:db8::/64"],
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
        examples=["templates"],
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

    @property
    def knows_callers(self) -> bool:
        """Whether each callback has to prove that the platform sent it."""
        return bool(self.callback_secret or (self.require_signature and self.webhook_secret))

    @field_validator("public_url")
    @classmethod
    def _is_a_web_address(cls, value: str | None) -> str | None:
        if value is not None and not (WEB_ADDRESS.fullmatch(value) and leads_somewhere(value)):
            raise ValueError(
                "write an address as https://gate.example.com, without user, query or fragment"
            )
        return value

    @field_validator("hostname")
    @classmethod
    def _is_a_host(cls, value: str | None) -> str | None:
        if value is not None and not (HOST.fullmatch(value) and leads_somewhere(f"http://{value}")):
            raise ValueError("write a name or an IP address alone, as gate.example.com")
        return value

    @field_validator("database")
    @classmethod
    def _is_a_store(cls, value: str) -> str:
        return storing.checked(value)

    @property
    def address(self) -> str:
        """Where people reach the gate, without trailing slash, or where the 2013 keys say."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = self.hostname or self.bind_address
        return f"http://{host}:{self.port or self.bind_port}"

    def rules(self) -> Rules:
        """What holds for several keys, and what should not stay as it is."""
        return (
            self._can_check_signatures(),
            *storing.rules(self),
            self._accepts_by_itself(),
        )

    def _can_check_signatures(self) -> Iterator[Finding]:
        if self.require_signature and not self.webhook_secret:
            yield problem("require_signature: nothing can be checked without a webhook_secret")

    def _accepts_by_itself(self) -> Iterator[Finding]:
        if self.default_action is Action.ACCEPT:
            yield warning("default_action = ACCEPT: what nobody can be asked about is accepted")

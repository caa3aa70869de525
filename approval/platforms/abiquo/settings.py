"""The section [abiquo] of workflow.cfg."""

import re
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from approval.findings import Finding, problem, warning
from approval.platforms.abiquo.hrefs import ORIGIN, PATH
from approval.section import (
    MISSING,
    OptionalFile,
    OptionalSecret,
    Rules,
    Section,
    is_loopback,
    leads_somewhere,
)

TOKEN = re.compile("[!-~]+")
VERSION = re.compile(r"[0-9]+(\.[0-9]+){0,2}")


def _listed(value: Any) -> Any:
    parts = value.split(",") if isinstance(value, str) else value
    return [part.strip() for part in parts if part.strip()]


class Settings(Section):
    """How to reach Abiquo and as whom."""

    api_location: str = Field(
        default="",
        description="The address of Abiquo's API, as https://cloud.example.com/api.",
    )
    api_username: str = Field(
        default="",
        description="The account that reads tasks, machines and users, and decides tasks. It needs "
        "the privileges to manage workflow tasks and to see the users of every gated enterprise.",
    )
    api_password: OptionalSecret = Field(default=None, description="The password of this account.")
    api_token: OptionalSecret = Field(
        default=None, description="A token to use instead of api_username and api_password."
    )
    api_approve_role: str = Field(
        default="ENTERPRISE_ADMIN",
        min_length=1,
        description="Users with this role in the enterprise of a machine decide its tasks.",
    )
    api_ca_file: OptionalFile = Field(
        default=None,
        description="Certificates (PEM) to trust instead of the public authorities, where Abiquo "
        "has one that it signed itself.",
        examples=["/etc/approval/abiquo.pem"],
    )
    api_timeout: float = Field(
        default=10,
        gt=0,
        le=60,
        allow_inf_nan=False,
        description="Seconds to wait for a connection and for an answer.",
    )
    api_version: str = Field(
        default="",
        description="The version of the API to ask for, as 3.10; empty for Abiquo's newest.",
        examples=["3.10"],
    )
    api_enterprises: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        default=(),
        description="The enterprises whose held tasks the gate looks for itself, by name or id, "
        "separated by commas, in case their callback was lost. Empty: all that the account sees. "
        "A round asks 100 of them and the next one goes on; 'approval reconcile' asks all.",
        examples=["Acme, Globex"],
    )

    @field_validator("api_location")
    @classmethod
    def _is_plain_address(cls, value: str) -> str:
        value = value.rstrip("/")
        origin = ORIGIN.match(f"{value}/")
        path = value[origin.end() :] if origin else ""
        plain = origin and (not path or PATH.fullmatch(path.removeprefix("/")))
        if not plain or not leads_somewhere(value):
            raise ValueError(
                "write an address as https://cloud.example.com/api, without user, query or fragment"
            )
        return value

    @field_validator("api_username")
    @classmethod
    def _has_no_colon(cls, value: str) -> str:
        if ":" in value:
            raise ValueError("a user name cannot hold a colon: HTTP ends the name there")
        return value

    @field_validator("api_version")
    @classmethod
    def _is_a_version(cls, value: str) -> str:
        if value and not VERSION.fullmatch(value):
            raise ValueError("write a version as 3.10, or leave it empty for Abiquo's newest")
        return value

    @field_validator("api_token")
    @classmethod
    def _fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("a token is ASCII letters, digits and signs without spaces")
        return value

    def rules(self) -> Rules:
        """What has to be set, and what holds for several keys."""
        return self._is_somewhere(), self._can_sign_in(), self._in_clear_text(), self._one_way()

    def _is_somewhere(self) -> Iterator[Finding]:
        if not self.api_location:
            yield problem(f"api_location: {MISSING}")

    def _can_sign_in(self) -> Iterator[Finding]:
        if self.api_token or (self.api_username and self.api_password):
            return
        if self.api_username:
            yield problem("api_password: is missing; set it, or api_token instead of both")
        elif self.api_password:
            yield problem("api_username: is missing; set it, or api_token instead of both")
        else:
            yield problem("api_username: is missing; set it and api_password, or api_token")

    def _in_clear_text(self) -> Iterator[Finding]:
        url = urlsplit(self.api_location)
        if url.scheme == "http" and not is_loopback(url.hostname or ""):
            yield warning(
                "api_location: the credentials go over the network in clear text; use https://"
            )

    def _one_way(self) -> Iterator[Finding]:
        if self.api_token and (self.api_username or self.api_password):
            yield warning("api_token is used; api_username and api_password are not")

    @property
    def root(self) -> str:
        """The path of the API on its host, as "/api"."""
        return urlsplit(self.api_location).path

"""The connection to Temporal, from the settings and Temporal's own variables."""

import logging
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from temporalio.client import Client
from temporalio.envconfig import ClientConfigProfile
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import RPCError, TLSConfig

from approval.engine.temporal.settings import Temporal

FILE = "TEMPORAL_CONFIG_FILE"


class NoConnection(Exception):
    """Raised if Temporal cannot be reached, or what says how cannot be read."""


async def connect(settings: Temporal, environment: Mapping[str, str] = os.environ) -> Client:
    """Connect once. Raises NoConnection."""
    try:
        return await Client.connect(**options(settings, environment), runtime=_runtime())
    except (RPCError, RuntimeError, OSError) as error:
        raise NoConnection(str(error)) from error


@cache
def _runtime() -> Runtime:
    """The library's threads, of which one set is enough; it logs as everybody else."""
    forwarding = LogForwardingConfig(logging.getLogger("temporalio.core"))
    levels = TelemetryFilter(core_level="WARN", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(levels, forwarding)))


def options(settings: Temporal, environment: Mapping[str, str]) -> dict[str, Any]:
    """How to connect: the section's keys, and what they leave open from TEMPORAL_….

    A file of profiles is read only if TEMPORAL_CONFIG_FILE names it: that of whoever happens to
    start the gate is none of its business. Raises OSError, or RuntimeError.
    """
    profile = ClientConfigProfile.load(
        disable_file=FILE not in environment, override_env_vars=dict(environment)
    )
    found: dict[str, Any] = {"target_host": "localhost:7233", **profile.to_client_connect_config()}
    if settings.address:
        found["target_host"] = settings.address
    if settings.namespace:
        found["namespace"] = settings.namespace
    if settings.api_key:
        found["api_key"] = settings.api_key.get_secret_value()
    if settings.encrypted:
        found["tls"] = _tls(settings, found.get("tls"))
    return found


def _tls(settings: Temporal, base: object) -> TLSConfig:
    """What the section says of TLS, over what the variables say."""
    known = base if isinstance(base, TLSConfig) else TLSConfig()
    read = {
        "server_root_ca_cert": settings.ca_file,
        "client_cert": settings.client_cert_file,
        "client_private_key": settings.client_key_file,
    }
    found: dict[str, Any] = {name: file.read_bytes() for name, file in read.items() if file}
    if settings.server_name:
        found["domain"] = settings.server_name
    return TLSConfig(**vars(known) | found)

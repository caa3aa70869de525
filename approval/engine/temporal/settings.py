"""The section [temporal]: where Temporal is and as whom to speak to it."""

from collections.abc import Iterator
from importlib.util import find_spec

from pydantic import Field

from approval.extras import how_to_install
from approval.findings import Finding, problem, warning
from approval.section import (
    OptionalFile,
    OptionalSecret,
    OptionalText,
    Rules,
    Section,
    is_loopback,
)

LOOKS = 8  # threads that look into the store for workflows and the relay, whatever the machine


class Temporal(Section):
    """How to reach Temporal, with [engine] kind = temporal."""

    address: OptionalText = Field(
        default=None,
        description="Its frontend, as temporal.example.com:7233. Empty: TEMPORAL_ADDRESS, else "
        "localhost:7233; for the keys below TEMPORAL_NAMESPACE, TEMPORAL_API_KEY and "
        "TEMPORAL_TLS_… count in the same way.",
        examples=["temporal.example.com:7233"],
    )
    namespace: OptionalText = Field(
        default=None,
        description="The namespace, which has to exist; else default.",
        examples=["approval"],
    )
    task_queue: str = Field(
        default="approval",
        min_length=1,
        description="What workflows, task queues and schedules of this gate are called. Gates "
        "that share a namespace need one each.",
    )
    api_key: OptionalSecret = Field(default=None, description="A key to log in with; implies TLS.")
    tls: bool = Field(
        default=False,
        description="yes: speak TLS. Each of the four keys below and api_key imply it.",
    )
    ca_file: OptionalFile = Field(
        default=None,
        description="Certificates (PEM) to trust instead of the public authorities.",
        examples=["/etc/approval/temporal.pem"],
    )
    client_cert_file: OptionalFile = Field(
        default=None,
        description="The gate's own certificate (PEM), if Temporal asks for one.",
        examples=["/etc/approval/gate.pem"],
    )
    client_key_file: OptionalFile = Field(
        default=None,
        description="The private key (PEM) of client_cert_file.",
        examples=["/etc/approval/gate.key"],
    )
    server_name: OptionalText = Field(
        default=None,
        description="The name in Temporal's certificate, if it is not its address.",
        examples=["temporal.internal.example.com"],
    )

    def rules(self) -> Rules:
        """What holds for several keys."""
        return (self._both_halves(),)

    def _both_halves(self) -> Iterator[Finding]:
        if bool(self.client_cert_file) != bool(self.client_key_file):
            yield problem("client_cert_file and client_key_file go together; set both")

    @property
    def encrypted(self) -> bool:
        """Whether these settings by themselves ask for TLS."""
        return bool(
            self.tls or self.api_key or self.ca_file or self.client_cert_file or self.server_name
        )

    def in_clear_text(self) -> Iterator[Finding]:
        """A rule for who uses Temporal."""
        host = (self.address or "localhost").rpartition(":")[0]
        if self.encrypted or is_loopback(host) or not self.address:
            return
        yield warning(
            f"address: {self.address} is reached in clear text: names of people and machines can "
            "be read on the way; set tls = yes"
        )


def missing() -> str | None:
    """What has to be installed first, and how; None if all is there."""
    if find_spec("temporalio") is None:
        return f"temporal needs a library that is not installed; {how_to_install('temporal')}"
    return None

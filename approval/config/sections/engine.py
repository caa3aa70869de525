"""The section [engine]."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, field_validator

from approval.config.values import Duration, at_least
from approval.engine.temporal.settings import missing
from approval.section import Section


class Engine(Section):
    """When and where the work outside web requests is done."""

    kind: Literal["embedded", "temporal"] = Field(
        default="embedded",
        description="embedded: threads of the gate. temporal: workflows of a Temporal that you "
        "run, see [temporal]. Changing it loses nothing.",
    )
    threads: int = Field(
        default=6,
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

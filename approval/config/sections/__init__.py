"""The sections of `workflow.cfg`. Defaults and explanations stand here and nowhere else."""

from approval.config.sections.engine import Engine
from approval.config.sections.links import Links
from approval.config.sections.mail import Mail
from approval.config.sections.policy import Policy
from approval.config.sections.server import Server

__all__ = ["Engine", "Links", "Mail", "Policy", "Server"]

"""What a check of the world outside finds out: one line each, for the operator."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How good or bad a finding is."""

    OK = "ok"
    WARNING = "warning"  # worth knowing, but may be as it should
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One line. That of a warning or problem begins with its key: "port: nobody answers"."""

    level: Level
    text: str


def ok(text: str) -> Finding:
    return Finding(Level.OK, text)


def warning(text: str) -> Finding:
    return Finding(Level.WARNING, text)


def problem(text: str) -> Finding:
    return Finding(Level.PROBLEM, text)

"""Logs: one line for each thing that happened; for people on a terminal, else JSON."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog


def configure_logs(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Log to standard error or to `stream`. Call once, at the start of a process."""
    stream = stream or sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,  # without the values of variables
        *_last(people=stream.isatty()),
    ]
    structlog.configure(
        processors=[each for each in shared if not isinstance(each, structlog.stdlib.ExtraAdder)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processor=shared[-1], foreign_pre_chain=shared[:-1])
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    # It warns of every request that waits for a thread, which is how a queue works.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)


def _last(*, people: bool) -> list[structlog.typing.Processor]:
    """What makes a line of an event. JSON escapes by itself whatever could begin another line."""
    if not people:
        return [structlog.processors.JSONRenderer()]
    plain = structlog.dev.plain_traceback
    return [_escape, structlog.dev.ConsoleRenderer(exception_formatter=plain)]


def _escape(
    logger: object, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Keep what others named from beginning a line or moving the cursor of a terminal."""
    for key, value in event.items():
        if key == "exception":
            event[key] = "\n".join(f"  {_visible(line)}" for line in value.split("\n"))
        elif isinstance(value, str):
            event[key] = _visible(value)
    return event


def _visible(text: str) -> str:
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )

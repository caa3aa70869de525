"""Events as lines of a file, and back."""

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import StringIO
from typing import Any

from approval.audit.chain import Event

FIELDS = list(Event.__dataclass_fields__)
BYTES = ("salt", "digest", "hash")


class NotAnExport(Exception):
    """Raised if a line is not one that an export wrote."""


def jsonl(events: Iterable[Event]) -> Iterator[str]:
    """A JSON object a line."""
    for event in events:
        yield json.dumps(_record(event), ensure_ascii=False) + "\n"


def comma_separated(events: Iterable[Event]) -> Iterator[str]:
    """A head line, then a line for each event; what was purged is empty, and so is its salt."""
    yield _line(FIELDS)
    for event in events:
        yield _line(_record(event).values())


def read(lines: Iterable[str]) -> Iterator[Event]:
    """The events of an export of either kind. Raises NotAnExport."""
    rows = iter(lines)
    first = next(rows, "")
    try:
        if first.startswith("{"):
            yield _event(json.loads(first))
            yield from (_event(json.loads(line)) for line in rows)
        elif first.rstrip("\r\n").split(",") == FIELDS:
            yield from map(_event, csv.DictReader(rows, FIELDS))
        else:
            raise ValueError(first[:80])
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise NotAnExport(f"this is no line of an export: {error}") from error


def _record(event: Event) -> dict[str, Any]:
    record = {name: getattr(event, name) for name in FIELDS}
    record["at"] = event.at.isoformat(timespec="microseconds")
    return record | {name: record[name].hex() if record[name] else None for name in BYTES}


def _line(values: Iterable[Any]) -> str:
    line = StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()


def _event(record: dict[str, Any]) -> Event:
    salt = record["salt"]
    return Event(
        id=int(record["id"]),
        request_id=record["request_id"],
        position=int(record["position"]),
        at=datetime.fromisoformat(record["at"]),
        kind=record["kind"],
        task_id=int(record["task_id"]) if record["task_id"] else None,
        text=record["text"] if salt else None,
        salt=bytes.fromhex(salt) if salt else None,
        digest=bytes.fromhex(record["digest"]),
        hash=bytes.fromhex(record["hash"]),
    )

"""Events as lines of a file, and back."""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import StringIO
from typing import Any

from approval.audit.chain import Event

FIELDS = list(Event.__dataclass_fields__)
BYTES = ("salt", "digest", "hash")
FORMULA = re.compile(r"'*[=+\-@\t\r\n]")  # how texts begin that a spreadsheet would work out


class NotAnExport(Exception):
    """Raised if a line is not one that an export wrote."""


def jsonl(events: Iterable[Event]) -> Iterator[str]:
    """A JSON object a line."""
    for event in events:
        yield json.dumps(_record(event), ensure_ascii=False) + "\n"


def comma_separated(events: Iterable[Event]) -> Iterator[str]:
    """A head line, then a line for each event; what was purged is empty, and so is its salt.

    A text that a spreadsheet would take for a formula has an apostrophe before it, which `read`
    takes away.
    """
    yield _line(FIELDS)
    for event in events:
        record = _record(event)
        if FORMULA.match(event.text or ""):
            record["text"] = f"'{event.text}"
        yield _line(record.values())


def read(lines: Iterable[str]) -> Iterator[Event]:
    """The events of an export of either kind. Raises NotAnExport."""
    rows = iter(lines)
    first = next(rows, "")
    try:
        if first.startswith("{"):
            yield _event(json.loads(first))
            yield from (_event(json.loads(line)) for line in rows)
        elif first.rstrip("\r\n").split(",") == FIELDS:
            yield from map(_event, map(_unquoted, csv.DictReader(rows, FIELDS)))
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


def _unquoted(record: dict[str, Any]) -> dict[str, Any]:
    text = record["text"]
    if text.startswith("'") and FORMULA.match(text):
        return record | {"text": text[1:]}
    return record


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

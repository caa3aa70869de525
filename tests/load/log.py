"""What the gate's log tells: nothing that was not brought about on purpose."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.load.ledger import Ledger
from tests.load.others import MALFORMED_ONES, WATCHED, WATCHING
from tests.load.troubles import Side, Spell
from tests.watch import TOKEN

JSON = "{"
# How long after a trouble it may still be the reason of a failure: the timeout of a mail.
LATER = timedelta(seconds=35)
SIDES = {
    **dict.fromkeys(("consider", "release", "reconcile"), Side.PLATFORM),
    **dict.fromkeys(("ask", "outcome", "note", "alert"), Side.MAIL),
}


class Log:
    """The lines of a gate's log, each one a JSON object."""

    def __init__(self, file: Path) -> None:
        texts = file.read_text("utf-8").splitlines()
        self.odd = [text for text in texts if not text.startswith(JSON) or TOKEN.search(text)]
        self.lines: list[dict[str, Any]] = [json.loads(text) for text in texts if text[:1] == JSON]

    def named(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]

    def wrong(self, ledger: Ledger, spells: Sequence[Spell]) -> Iterator[str]:
        """Whatever it tells that it should not, and what it does not tell."""
        yield from (f"the log holds {text!r}" for text in self.odd)
        for line in self.lines:
            if line["level"] != "info" and not _expected(line, spells):
                yield f"the log tells: {line}"
        unreadable = len(self.named("callback unreadable"))
        if unreadable != ledger.statuses[MALFORMED_ONES].total():
            yield f"{unreadable} callbacks are logged as unreadable"
        asked = (line for line in self.named("request") if line["path"] not in WATCHED)
        told = Counter(line["status"] for line in asked)
        # Who waited for its start looked at its health, too.
        heard = sum((n for what, n in ledger.statuses.items() if what != WATCHING), Counter())
        if told != heard:
            yield f"it logged the answers {dict(told)}, and {dict(heard)} were heard"


def _expected(line: dict[str, Any], spells: Sequence[Spell]) -> bool:
    if line["level"] != "warning":
        return False
    if line["event"] == "callback unreadable":
        return True
    if line["event"] != "job failed":
        return False
    if line["error"].startswith("told already"):  # an alert, for which an hour has not passed
        return True
    at, side = datetime.fromisoformat(line["timestamp"]), SIDES[line["kind"]]
    return any(
        spell.begun <= at <= spell.ended + LATER for spell in spells if spell.trouble.side is side
    )

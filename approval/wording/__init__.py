"""What people read about a request, in pages and mails alike: pure text from values.

All that is named here is known in templates, too.
"""

from approval.wording.errands import and_more, errand, question, summary, verbs
from approval.wording.machines import (
    before_known,
    brief,
    changes,
    disk_name,
    disks_line,
    facts,
    size,
    totals,
)
from approval.wording.names import (
    common_place,
    machine_name,
    person_name,
    place_names,
    place_path,
    shared_place,
    verb,
)
from approval.wording.outcomes import alike, outcome, standings, tally, told

__all__ = [
    "alike",
    "and_more",
    "before_known",
    "brief",
    "changes",
    "common_place",
    "disk_name",
    "disks_line",
    "errand",
    "facts",
    "machine_name",
    "outcome",
    "person_name",
    "place_names",
    "place_path",
    "question",
    "shared_place",
    "size",
    "standings",
    "summary",
    "tally",
    "told",
    "totals",
    "verb",
    "verbs",
]

"""What is to be done, in a sentence."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from approval.model import ApprovalRequest, Task
from approval.wording.names import common_place, machine_name, person_name, verb


def and_more(count: int) -> str:
    """What follows the names that are given: " and 2 more machines"; empty if there are none."""
    return f" and {count} more machine{'' if count == 1 else 's'}" if count > 0 else ""


def verbs(tasks: Iterable[Task]) -> str:
    """All that is to be done, each once: "deploy", "deploy and undeploy"."""
    *others, last = dict.fromkeys(verb(task.held.type) for task in tasks)
    return f"{', '.join(others)} and {last}" if others else last


@dataclass(frozen=True)
class Piece:
    """A part of a sentence; a name is somebody else's word, and is shown apart from ours."""

    text: str
    is_name: bool = False


def errand(tasks: Sequence[Task]) -> list[Piece]:
    """What is to be done, each kind with its own machines, in pieces; see `summary`."""
    kinds: dict[str, list[Task]] = {}
    for task in tasks:
        kinds.setdefault(verb(task.held.type), []).append(task)
    *before, last = ([Piece(f"{kind} "), *_names(of_kind)] for kind, of_kind in kinds.items())
    comma = "," if len(before) > 1 or len(kinds) < len(tasks) else ""  # which "and" is which
    pieces = [
        piece for number, part in enumerate(before) for piece in (Piece(", " * (number > 0)), *part)
    ]
    return [*pieces, Piece(f"{comma} and "), *last] if before else last


def _names(tasks: Sequence[Task]) -> Iterator[Piece]:
    yield Piece(machine_name(tasks[0]), is_name=True)
    if len(tasks) == 2:
        yield Piece(" and ")
        yield Piece(machine_name(tasks[1]), is_name=True)
    else:
        yield Piece(and_more(len(tasks) - 1))


def summary(tasks: Sequence[Task]) -> str:
    """What is to be done, for a subject.

    "deploy web-01", "deploy web-01 and 2 more machines", "undeploy web-01 and deploy db-01"
    """
    return "".join(piece.text for piece in errand(tasks))


def question(request: ApprovalRequest, tasks: Sequence[Task] | None = None) -> str:
    """What is asked, in one sentence without full stop; of some tasks only if they are given.

    "Ana User wants to deploy web-01 and 2 more machines in Acme > Production > Shop"
    """
    sentence = f"{person_name(request.requester)} wants to {summary(tasks or request.tasks)}"
    place = common_place(request)
    return f"{sentence} in {place}" if place else sentence

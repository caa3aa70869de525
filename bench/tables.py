"""The report: a table for each question, with a column for each setup."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What one setup answered to one row of a question; `met` is None if nothing was wanted."""

    row: str
    wanted: str
    measured: str
    met: bool | None = None

    def __str__(self) -> str:
        verdict = {True: ", met", False: ", **short**", None: ""}[self.met]
        return f"{self.measured}{verdict}"


Answers = Mapping[str, Sequence[Figure]]  # by the title of the setup; some have no answer


def table(question: str, answers: Answers) -> Iterator[str]:
    """The lines of a question's table."""
    rows = {figure.row: figure.wanted for figures in answers.values() for figure in figures}
    yield f"### {question}"
    yield ""
    yield f"| | wanted | {' | '.join(answers)} |"
    yield f"|---|---|{'---|' * len(answers)}"
    for row, wanted in rows.items():
        found = [next((f for f in figures if f.row == row), "–") for figures in answers.values()]
        yield f"| {row} | {wanted} | {' | '.join(map(str, found))} |"
    yield ""

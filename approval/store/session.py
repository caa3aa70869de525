"""A session: the statements of one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

Values = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
Row = sa.Row[*tuple[Any, ...]]
Result = sa.CursorResult[*tuple[Any, ...]]


class Session:
    """One transaction on a connection, and whom its commit concerns.

    Statements go to the connection as they are. There are no mapped objects: a use case is a
    few statements that are built once, and what looks after objects would cost more than they do.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.lanes: list[str] = []  # in which jobs were added
        self.changed: dict[str, datetime] = {}  # owners of jobs, by when an engine is to look
        self.version: int | None = None  # of a file that is to stand still

    @property
    def dialect(self) -> str:
        """The kind of database: sqlite or postgresql."""
        return self.connection.dialect.name

    def execute(self, statement: sa.Executable, values: Values = None) -> Result:
        """Run a statement, once for each of the values if there are several."""
        return self.connection.execute(statement, values)

    def scalars(self, statement: sa.Executable, values: Values = None) -> sa.ScalarResult[Any]:
        """The first column of each row."""
        return self.connection.scalars(statement, values)

    def scalar(self, statement: sa.Executable, values: Mapping[str, Any] | None = None) -> Any:
        """The first column of the first row; None if there is none."""
        return self.connection.scalar(statement, values)

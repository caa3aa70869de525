"""What the columns of all tables are made of."""

from datetime import UTC, datetime
from enum import Enum
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UTCDateTime(sa.types.TypeDecorator[datetime]):
    """Aware datetimes, kept in UTC; SQLite forgets time zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without zone: {value}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Value(sa.types.TypeDecorator[Any]):
    """A value of the model as JSON."""

    impl = sa.JSON(none_as_null=True)
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__(none_as_null=True)
        self.kind = kind
        self._adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return self.plain(value)

    def plain(self, value: Any) -> Any:
        """The value as JSON knows it: dicts, lists, strings."""
        return None if value is None else self._adapter.dump_python(value, mode="json")

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else self._adapter.validate_python(value)


def word(kind: type[Enum]) -> sa.Enum:
    """An enumeration kept as its plain word."""
    return sa.Enum(
        kind, native_enum=False, length=16, values_callable=lambda words: [w.value for w in words]
    )


# Events alone would use up 32 bits within months where there are many tasks. SQLite counts its
# rows in 64 bits, but only if the column is called an INTEGER.
LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = UTCDateTime()


def column(name: str, kind: sa.types.TypeEngine[Any], *rest: Any, **options: Any) -> sa.Column[Any]:
    """A column that always holds something, as most do, unless it is said to be nullable."""
    return sa.Column(name, kind, *rest, **{"nullable": False} | options)


def partial_index(name: str, *columns: str, where: str) -> sa.Index:
    """An index of those rows alone that are looked for."""
    condition = sa.text(where)
    return sa.Index(name, *columns, sqlite_where=condition, postgresql_where=condition)

"""The description of a data set, as data: tables, keys, columns, types, references.

Parsing, storing, projecting, exporting and checking all read a `DataSet`; none of them knows a
table by name. Names enter SQL from here alone, so they are checked when the description is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ledger.errors import WrongUsage

_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


class Kind(StrEnum):
    """What a file delivers: a full extract, or one month's changes."""

    INITIAL = "initial"
    DELTA = "delta"


class Action(StrEnum):
    """What an event does to the row with its key."""

    ADD = "add"
    UPDATE = "update"
    DELETE = "delete"


ACTION_COLUMN = "action"
_EVENT_COLUMNS = frozenset({"event_id", "month", "file", "line", ACTION_COLUMN})


class Type(StrEnum):
    """How a cell is read for the projection; the delivered text is kept in the event.

    text: as delivered. date: `2025-02-28`. number: a decimal number, held as a double.
    timestamp: delivered in UTC, projected as local time with its offset. integer: a count, in
    what is computed; delivered numbers are all of the type number.
    """

    TEXT = "text"
    DATE = "date"
    NUMBER = "number"
    TIMESTAMP = "timestamp"
    INTEGER = "integer"


@dataclass(frozen=True, slots=True)
class Column:
    """A delivered column.

    Attributes:
        name: as in the header of the file.
        description: one sentence, for the manifest of an export.
        type: how its cells are read.
        references: the table whose key it holds, or None.
    """

    name: str
    description: str
    type: Type = Type.TEXT
    references: str | None = None


@dataclass(frozen=True, slots=True)
class LocalMonth:
    """A projected column: the local month (`2025-02`) of a timestamp; NULL where it has none."""

    name: str
    timestamp: str

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns that it is computed from."""
        return (self.timestamp,)


@dataclass(frozen=True, slots=True)
class SecondsBetween:
    """A projected column: seconds from one timestamp to another; NULL where one is missing."""

    name: str
    start: str
    end: str

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns that it is computed from."""
        return (self.start, self.end)


@dataclass(frozen=True, slots=True)
class Table:
    """A delivered table.

    Attributes:
        name: as in the names of its files.
        columns: the delivered columns, in the order of the extract; the first is the key.
        derived: further columns of the projected table, which are not exported.
    """

    name: str
    columns: tuple[Column, ...]
    derived: tuple[LocalMonth | SecondsBetween, ...] = ()

    @property
    def key(self) -> str:
        """The name of the key column."""
        return self.columns[0].name

    @property
    def events(self) -> str:
        """The name of the table that holds its events."""
        return f"{self.name}_events"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the delivered columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def typed_columns(self) -> tuple[Column, ...]:
        """The columns that are not plain text."""
        return tuple(column for column in self.columns if column.type is not Type.TEXT)

    def __post_init__(self) -> None:
        columns = [*self.column_names, *(column.name for column in self.derived)]
        _check_names([self.name, *columns])
        if len(set(columns)) < len(columns) or not _EVENT_COLUMNS.isdisjoint(self.column_names):
            taken = ", ".join(sorted(_EVENT_COLUMNS))
            raise ValueError(f"the columns of {self.name} need different names, and not {taken}")
        times = {column.name for column in self.columns if column.type is Type.TIMESTAMP}
        if not times.issuperset(name for column in self.derived for name in column.sources):
            raise ValueError(f"what is derived in {self.name} must be derived from timestamps")
        if any(column.type is Type.INTEGER for column in self.columns):
            raise ValueError(f"the numbers delivered in {self.name} must be of the type number")
        if self.columns[0].type is not Type.TEXT:
            raise ValueError(f"the key of {self.name} must be text")


@dataclass(frozen=True, slots=True)
class Summary:
    """A further table of the projection, computed from the projected tables.

    Attributes:
        name: the table that it fills, as in `schema.sql`.
        select: the statement that gives its rows, each column named as there.
    """

    name: str
    select: str


@dataclass(frozen=True, slots=True)
class DataSet:
    """All that the core knows of the data.

    Attributes:
        name: for the manifest of an export.
        title: the same in words.
        zone: the time zone in which timestamps are projected.
        tables: in the order in which they are recorded.
        summaries: filled after the tables, in order.
        views: views on the projection, as in `schema.sql`.
    """

    name: str
    title: str
    zone: str
    tables: tuple[Table, ...]
    summaries: tuple[Summary, ...] = ()
    views: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        tables = [table.name for table in self.tables]
        names = [*tables, *(summary.name for summary in self.summaries), *self.views]
        _check_names(names)
        references = {c.references for table in self.tables for c in table.columns}
        if len(set(names)) < len(names) or not references <= {None, *tables}:
            raise ValueError("tables need different names, and references a table to refer to")

    def table(self, name: str) -> Table:
        """Find a table by its name.

        Raises:
            WrongUsage: there is none of that name.
        """
        for table in self.tables:
            if table.name == name:
                return table
        names = ", ".join(table.name for table in self.tables)
        raise WrongUsage(f"there is no table {name!r}; the tables are {names}")


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be a name in a data set")

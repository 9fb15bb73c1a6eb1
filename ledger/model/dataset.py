"""The description of a data set, as data: tables, keys, columns, types, references.

Parsing, storing, projecting, exporting and checking all read a `DataSet`; none of them knows a
table by name. Names enter SQL from here alone, so they are checked when the description is made.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
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
class UtcMonth:
    """A projected column: the month in UTC (`2025-03`) of a timestamp; NULL where it has none."""

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


Derived = LocalMonth | UtcMonth | SecondsBetween


@dataclass(frozen=True, slots=True)
class Label:
    """A name that a row takes from a row to which it refers.

    Attributes:
        name: of the column in a labelled export.
        reference: the column that holds the key of the other row.
        column: the column of the other row, a text.
        description: one sentence, for the manifest of an export.
    """

    name: str
    reference: str
    column: str
    description: str


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that no sound row meets.

    Attributes:
        code: of the finding where one does.
        column: where it is to be seen.
        reads: the columns of the projected table that the condition reads.
        condition: in SQL.
        message: what is odd, in words.
    """

    code: str
    column: str
    reads: tuple[str, ...]
    condition: str
    message: str


@dataclass(frozen=True, slots=True)
class Table:
    """A delivered table.

    Attributes:
        name: as in the names of its files.
        columns: the delivered columns, in the order of the extract; the first is the key.
        derived: further columns of the projected table, which are not exported.
        month: the derived column that says to which month a row belongs, or None.
        labels: the names that its rows take from others, as they stood in that month or stand now.
        checks: what is odd about a row.
    """

    name: str
    columns: tuple[Column, ...]
    derived: tuple[Derived, ...] = ()
    month: str | None = None
    labels: tuple[Label, ...] = ()
    checks: tuple[Check, ...] = ()

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
    def references(self) -> tuple[Column, ...]:
        """The columns that hold keys of other tables."""
        return tuple(column for column in self.columns if column.references)

    @property
    def typed_columns(self) -> tuple[Column, ...]:
        """The columns that are not plain text."""
        return tuple(column for column in self.columns if column.type is not Type.TEXT)

    def narrowed(self, names: Collection[str]) -> Table:
        """The table with its key and these columns alone, and what they are derived from.

        It says nothing of what it refers to, so that it can stand alone in a data set.
        """
        derived = tuple(column for column in self.derived if column.name in names)
        needed = {self.key, *names, *(name for column in derived for name in column.sources)}
        columns = (replace(c, references=None) for c in self.columns if c.name in needed)
        return Table(self.name, tuple(columns), derived)

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
        self._check_labels()

    def _check_labels(self) -> None:
        _check_names(label.name for label in self.labels)
        references = {column.name for column in self.references}
        if not references.issuperset(label.reference for label in self.labels):
            raise ValueError(f"a label of {self.name} needs a column that refers to a table")
        months = {c.name for c in self.derived if isinstance(c, LocalMonth)}
        if self.month not in {None, *months} or (self.labels and self.month is None):
            raise ValueError(f"{self.name} needs a local month to be labelled")


@dataclass(frozen=True, slots=True)
class Summary:
    """A further table of the projection: counts and sums of the rows of one projected table.

    Every column but those that it is grouped by is a sum, so that the summary of some rows can be
    added to that of others, or taken from it.

    Attributes:
        name: the table that it fills, as in `schema.sql`.
        table: the table whose rows it sums up.
        reads: the columns of that table which the statement reads.
        select: the statement that gives its rows, each column named as there.
        groups: the columns that it is grouped by.
        count: the column that counts the rows.
        magnitude: the column that sums up, without signs, all that goes into sums of fractions.
    """

    name: str
    table: str
    reads: tuple[str, ...]
    select: str
    groups: tuple[str, ...]
    count: str
    magnitude: str


@dataclass(frozen=True, slots=True)
class View:
    """A view on the projection, of which no two rows have the same identity.

    Attributes:
        name: as in `schema.sql`.
        identity: the columns that tell its rows apart, in order.
        values: its other columns.
    """

    name: str
    identity: tuple[str, ...]
    values: tuple[str, ...]


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
    views: tuple[View, ...] = ()

    def __post_init__(self) -> None:
        tables = [table.name for table in self.tables]
        names = [*tables, *(s.name for s in self.summaries), *(view.name for view in self.views)]
        _check_names(names)
        for view in self.views:
            _check_names((*view.identity, *view.values))
        for summary in self.summaries:
            columns = (*summary.reads, *summary.groups, summary.count, summary.magnitude)
            _check_names(columns)
            if summary.table not in tables:
                raise ValueError(f"{summary.name} sums up a table that is not there")
        references = {c.references for table in self.tables for c in table.columns}
        if len(set(names)) < len(names) or not references <= {None, *tables}:
            raise ValueError("tables need different names, and references a table to refer to")
        for table in self.tables:
            for label in table.labels:
                self._check_label(table, label)

    def _check_label(self, table: Table, label: Label) -> None:
        named = self.referenced(table, label.reference)
        texts = {column.name for column in named.columns if column.type is Type.TEXT}
        if label.column not in texts:
            raise ValueError(f"the label {label.name} needs a text column of {named.name}")

    def place(self, name: str) -> int:
        """The place of a table in the order in which they are recorded, from 0."""
        return [table.name for table in self.tables].index(name)

    def referenced(self, table: Table, column: str) -> Table:
        """The table whose key a column of a table holds."""
        (name,) = (c.references for c in table.references if c.name == column)
        return next(other for other in self.tables if other.name == name)

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

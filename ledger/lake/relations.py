"""The relations of a lake, as Arrow types, and the records of a ledger as rows of them.

They are those of the ledger's file, with the same numbers, and with cells as texts. But the value
of a reading is a text here, for a number the shortest one that is the same double, and the month
of an event is the name of a folder, `202503`: a text on every engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import pyarrow as pa

from ledger.model.dataset import Table
from ledger.model.local_time import ClockRow
from ledger.model.periods import Month
from ledger.model.records import Batch, File, Tag
from ledger.store.database import Record

BATCHES, FILES, TAGS = "batches", "files", "tags"
READINGS, CLOCK = "readings", "clock"

RECORDED = {BATCHES: Batch, FILES: File, TAGS: Tag}

_INTEGERS = frozenset(
    {
        *("batch", "month", "gap", "late", "correction", "events", "file", "bytes", "rows"),
        *("first_event", "last_event", "supersedes", "tag", "as_of"),
        *("event_id", "line", "minute_shift", "epoch_hour"),
    }
)

READING_COLUMNS = ("event_id", "column_name", "value", "code")


def columns_of(relation: str) -> tuple[str, ...]:
    """The columns of a relation that is not one of events, in order."""
    if relation in RECORDED:
        return tuple(field.name for field in fields(RECORDED[relation]))
    return {READINGS: READING_COLUMNS, CLOCK: ClockRow._fields}[relation]


def event_columns(table: Table) -> tuple[str, ...]:
    """The columns of the events of a table, without the month."""
    return ("event_id", "file", "line", "action", *table.column_names)


def is_integer(column: str) -> bool:
    """Whether a column that is no cell contains whole numbers; else it contains texts."""
    return column in _INTEGERS


def schema(columns: Sequence[str], cells: Sequence[str] = ()) -> pa.Schema:
    """The types of columns; those of cells are texts, whatever their name."""
    return pa.schema(
        [
            (name, pa.int64() if name not in cells and is_integer(name) else pa.string())
            for name in columns
        ]
    )


def event_schema(table: Table) -> pa.Schema:
    """The types of the events of a table, without the month."""
    return schema(event_columns(table), table.column_names)


def arrow_table(relation: str, rows: Iterable[Record]) -> pa.Table:
    """Rows of a relation that is not one of events."""
    columns = columns_of(relation)
    types = schema(columns)
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return pa.table([pa.array(v, t.type) for v, t in zip(values, types, strict=True)], schema=types)


def record_row(record: Batch | File | Tag) -> Record:
    """A record as a row of its relation."""
    values = (getattr(record, field.name) for field in fields(record))
    return tuple(_plain(value) for value in values)


def _plain(value: Any) -> Any:
    if isinstance(value, Month):
        return value.number
    return int(value) if isinstance(value, bool) else value

"""Rows of described columns as Arrow, their values typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

import pyarrow as pa

from ledger.model.dataset import Column, Type

ROWS_AT_ONCE = 10_000

_PARSERS: Mapping[Type, Callable[[str], Any]] = {
    Type.DATE: date.fromisoformat,
    Type.TIMESTAMP: datetime.fromisoformat,
}


def arrow_schema(columns: Sequence[Column], zone: str) -> pa.Schema:
    """The types of columns.

    Args:
        columns: Numbers are doubles, dates are days, timestamps are instants to the microsecond.
        zone: the time zone in which readers show timestamps.
    """
    types = {
        Type.TEXT: pa.string(),
        Type.DATE: pa.date32(),
        Type.NUMBER: pa.float64(),
        Type.INTEGER: pa.int64(),
        Type.TIMESTAMP: pa.timestamp("us", tz=zone),
    }
    return pa.schema([(column.name, types[column.type]) for column in columns])


def arrow_batch(
    columns: Sequence[Column], rows: Iterable[Sequence[Any]], schema: pa.Schema
) -> pa.RecordBatch:
    """Some rows, one or more, by the schema of their columns."""
    arrays = []
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        read = _PARSERS.get(column.type)
        cells = [v if v is None else read(v) for v in values] if read else list(values)
        arrays.append(pa.array(cells, schema.field(column.name).type))
    return pa.record_batch(arrays, schema=schema)


def arrow_table(columns: Sequence[Column], rows: Iterable[Sequence[Any]], zone: str) -> pa.Table:
    """All rows, of which no more than some are values of Python at a time."""
    schema = arrow_schema(columns, zone)
    batches, rest = [], iter(rows)
    while some := list(islice(rest, ROWS_AT_ONCE)):
        batches.append(arrow_batch(columns, some, schema))
    return pa.Table.from_batches(batches, schema=schema)

"""Writes tables as Parquet with zstd, their columns typed."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ledger.model.arrow_tables import arrow_batch, arrow_schema
from ledger.model.dataset import Column
from ledger.model.tabular import Values
from ledger.outputs.csv import CsvText
from ledger.outputs.page_pipeline import in_batches, write_rows
from ledger.outputs.row_text import Output
from ledger.replay.paging import PagedRows


def write_parquet(
    file: Output, columns: Sequence[Column], rows: Iterable[Values], *, zone: str
) -> int:
    """Write a table, and return the number of its rows.

    Args:
        file: to write to.
        columns: of the rows, in order. Numbers are written as doubles, dates as days, timestamps
            as instants to the microsecond.
        rows: of the table.
        zone: the time zone in which readers show timestamps.
    """
    schema = arrow_schema(columns, zone)
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        if isinstance(rows, PagedRows):
            return write_rows(rows, CsvText(columns), writer.write_table, partial(_parsed, schema))
        return _write_batches(rows, columns, schema, writer.write_batch)


def _parsed(schema: Any, page: bytes) -> Any:
    """Read lines of CSV as an Arrow table, by the types of its schema: none is inferred."""
    # Arrow removes a byte order mark at the beginning, which must not be one of the first text.
    content = codecs.BOM_UTF8 + page
    return pa_csv.read_csv(
        pa.BufferReader(content),
        # One block, which no line exceeds. Another thread reads the next page meanwhile.
        pa_csv.ReadOptions(
            use_threads=False, block_size=len(content) + 1, column_names=schema.names
        ),
        pa_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        pa_csv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            strings_can_be_null=True,
            timestamp_parsers=[pa_csv.ISO8601],
        ),
    )


def _write_batches(
    rows: Iterable[Values], columns: Sequence[Column], schema: Any, write: Callable[[Any], object]
) -> int:
    count = 0
    for some in in_batches(rows):
        write(arrow_batch(columns, some, schema))
        count += len(some)
    return count

"""Writes the part of a table that a task of Spark has as a file.

This module runs on the workers, where the package must be installed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from pyspark import TaskContext

from ledger.files.atomic import DigestedFile, synced_file
from ledger.model.dataset import Column
from ledger.model.tabular import Values
from ledger.outputs.csv import CsvText
from ledger.outputs.json import OBJECT_END, JsonText
from ledger.outputs.parquet import write_parquet

FORMS = {"csv": CsvText, "json": JsonText}
"""The formats of text: a part is a section of the file, without its beginning and its end."""

PART_COLUMNS = "place INT, name STRING, rows LONG, bytes LONG, sha256 STRING, sha256_as_last STRING"
_PART = pa.schema(
    [
        ("place", pa.int32()),
        ("name", pa.string()),
        ("rows", pa.int64()),
        ("bytes", pa.int64()),
        ("sha256", pa.string()),
        ("sha256_as_last", pa.string()),
    ]
)


class Part(NamedTuple):
    """A file that a task wrote.

    Attributes:
        place: of the task among those that write the table.
        name: of the file.
        rows: the number of its rows.
        bytes: its size.
        sha256: its digest.
        sha256_as_last: its digest without the `OBJECT_END` at its end, for JSON.
    """

    place: int
    name: str
    rows: int
    bytes: int
    sha256: str
    sha256_as_last: str


@dataclass(frozen=True, slots=True)
class PartWriter:
    """Writes the rows of a task as a file; to be called with its batches.

    Attributes:
        folder: of the file; it has the same path on all machines.
        columns: of the rows, in order.
        format: of the file.
        zone: the time zone of timestamps, for formats that name one.
    """

    folder: str
    columns: tuple[Column, ...]
    format: str
    zone: str

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Write the rows, and yield a description of the file; nothing if there are no rows."""
        # A repeated attempt, or a concurrent one, must not write the same file.
        name = f"{uuid.uuid4().hex}.{self.format}"
        with synced_file(Path(self.folder) / name) as file:
            rows, as_last = self._write(file, batches)
        if rows:
            part = Part(_place(), name, rows, file.size, file.digest.hexdigest(), as_last)
            yield pa.RecordBatch.from_pylist([part._asdict()], schema=_PART)

    def _write(self, file: DigestedFile, batches: Iterable[pa.RecordBatch]) -> tuple[int, str]:
        """Write the rows; return their number, and the digest if no part follows this one."""
        if self.format not in FORMS:
            rows = (row for batch in batches for row in _rows(batch))
            count = write_parquet(file, self.columns, rows, zone=self.zone)
            return count, file.digest.hexdigest()
        form, count, as_last = FORMS[self.format](self.columns), 0, file.digest
        for batch in filter(len, batches):
            content = form.from_values(_rows(batch))
            objects = content.removesuffix(OBJECT_END)
            file.write(objects)
            as_last = file.digest.copy()
            file.write(content[len(objects) :])
            count += len(batch)
        return count, as_last.hexdigest()


def _rows(batch: pa.RecordBatch) -> Sequence[Values]:
    return list(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _place() -> int:
    context = TaskContext.get()
    if context is None:
        raise RuntimeError("a part of a table is written by a task alone")
    return int(context.partitionId())

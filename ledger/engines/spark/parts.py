"""What a task of Spark does with its part of a table: it writes it as a file.

All this runs on the workers, where the package must be installed.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from pyspark import TaskContext

from ledger.model.dataset import Column
from ledger.model.tabular import Values
from ledger.outputs.export import WRITERS
from ledger.outputs.fast_text import CsvForm, JsonForm

FORMS = {"csv": CsvForm, "json": JsonForm}
"""Of text: a part is a stretch of the whole file, without what stands at the ends of that."""

COMMA = b",\n"
"""What stands after each object of JSON, and must not stand after the last."""

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
        rows: how many it holds.
        bytes: its size.
        sha256: its digest.
        sha256_as_last: its digest without the comma at its end, for JSON.
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
        folder: into which; all machines see it at the same path.
        columns: of the rows, in order.
        format: of the file.
        zone: the time zone of timestamps, for formats that name one.
    """

    folder: str
    columns: tuple[Column, ...]
    format: str
    zone: str

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Write the rows, and say what was written; nothing where there are none."""
        # An attempt that is made again, or beside another one, must not write the same file.
        name = f"{uuid.uuid4().hex}.{self.format}"
        with open(Path(self.folder) / name, "wb") as raw:
            file = _Digested(raw)
            rows = self._write(file, batches)
            raw.flush()
            os.fsync(raw.fileno())
        if rows:
            part = Part(
                _place(), name, rows, file.size, file.digest.hexdigest(), file.as_last.hexdigest()
            )
            yield pa.RecordBatch.from_pylist([part._asdict()], schema=_PART)

    def _write(self, file: _Digested, batches: Iterable[pa.RecordBatch]) -> int:
        if self.format not in FORMS:
            rows = (row for batch in batches for row in _rows(batch))
            return WRITERS[self.format](file, self.columns, rows, self.zone)
        form, count = FORMS[self.format](self.columns), 0
        for batch in batches:
            file.write(form.plain(_rows(batch)))
            count += len(batch)
        return count


class _Digested(RawIOBase):
    """A file to write to, and what was written.

    Attributes:
        size: how many bytes.
        digest: of these.
        as_last: of these without the last comma.
    """

    def __init__(self, file: Any) -> None:
        super().__init__()
        self.size = 0
        self.digest = hashlib.sha256()
        self.as_last = self.digest
        self._file = file

    def writable(self) -> bool:
        """Say that this is for writing."""
        return True

    def write(self, content: Any) -> int:
        """Write all of the content."""
        data = bytes(content)
        self.as_last = self.digest.copy()
        self.as_last.update(data.removesuffix(COMMA))
        self.digest.update(data)
        self.size += len(data)
        self._file.write(data)
        return len(data)


def _rows(batch: pa.RecordBatch) -> Sequence[Values]:
    return list(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _place() -> int:
    context = TaskContext.get()
    if context is None:
        raise RuntimeError("a part of a table is written by a task alone")
    return int(context.partitionId())

"""The interface of an engine: it names relations, queries them, and writes large results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ledger.model.dataset import Column
from ledger.outputs.formats import FileOptions
from ledger.outputs.manifest import ExportedFile, Provenance
from ledger.store.database import Record

Columns = Mapping[str, type]
"""The types of columns, `int` or `str`, in order."""

_TYPES: Mapping[type, pa.DataType] = {int: pa.int64(), str: pa.string()}


@dataclass(frozen=True, slots=True)
class EngineTable:
    """A table to be written.

    Attributes:
        name: of the file, without its suffix.
        columns: of the rows, in order.
        select: the query that gives them, in the order of the key.
        key: the primary key.
    """

    name: str
    columns: Sequence[Column]
    select: str
    key: str


class Engine(ABC):
    """An engine that runs the SQL of a replay on files of Parquet.

    Names of relations and columns come from the validated description of a data set alone.

    Attributes:
        name: `duckdb` or `spark`.
        in_parts: whether a table is written as a folder of files, which never replaces another.
    """

    name: str
    in_parts: bool

    @abstractmethod
    def events(
        self,
        name: str,
        files: Sequence[Path],
        base: Path,
        columns: Columns,
        *,
        last_file: int,
        last_month: str | None,
    ) -> None:
        """Name the events of a table.

        Args:
            name: of the relation, which also has a column `month`, a text.
            files: of Parquet, in folders `month=YYYYMM`.
            base: the folder with these folders.
            columns: those of the files.
            last_file: leave out events of files with a greater number.
            last_month: leave out later months without opening their files; None for no limit.
        """

    @abstractmethod
    def parquet(self, name: str, files: Sequence[Path], columns: Columns) -> None:
        """Name the rows of files of Parquet."""

    @abstractmethod
    def values(self, name: str, columns: Columns, rows: Iterable[Record]) -> None:
        """Name some given rows, few enough to be kept in memory."""

    @abstractmethod
    def keep(self, name: str, select: str) -> None:
        """Name a query whose rows are computed once and read by several others."""

    @abstractmethod
    def rows(self, select: str) -> Iterator[Record]:
        """Run a query and yield its rows to the caller."""

    @abstractmethod
    def write_rows(self, name: str, select: str, order: str, path: Path) -> int:
        """Write the rows of a query as Parquet, with their types, in the order of a column.

        Args:
            name: of the relation of the written rows.
            select: the query.
            order: the column.
            path: of the file to be made, or of the folder of files.

        Returns:
            the number of rows.
        """

    @abstractmethod
    def write_tables(
        self,
        folder: Path,
        tables: Sequence[EngineTable],
        provenance: Provenance,
        options: FileOptions,
    ) -> list[ExportedFile]:
        """Write tables, and the manifest, as `ledger export` does.

        Args:
            folder: made if it does not exist.
            tables: to be written.
            provenance: of the tables.
            options: that were checked with `check_format`.

        Raises:
            WrongUsage: the engine does not support the options.
            StorageFailed: the folder cannot be written; the former files are unchanged.
        """


def given_table(columns: Columns, rows: Iterable[Record]) -> pa.Table:
    """Convert rows to Arrow, to be passed to an engine."""
    types = pa.schema([(name, _TYPES[type]) for name, type in columns.items()])
    cells = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = [pa.array(v, field.type) for v, field in zip(cells, types, strict=True)]
    return pa.table(arrays, schema=types)

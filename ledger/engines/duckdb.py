"""DuckDB: the same replay on one machine, on all its cores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa

from ledger.engines.base import Columns, Engine, EngineTable, given_table
from ledger.errors import StorageFailed
from ledger.model.tabular import Tabular
from ledger.outputs.formats import FileOptions
from ledger.outputs.manifest import ExportedFile, Provenance
from ledger.outputs.page_pipeline import ROWS_AT_ONCE
from ledger.outputs.table_files import write_tables
from ledger.store.database import Record

_TYPES: Mapping[type, str] = {int: "BIGINT", str: "VARCHAR"}

_IN_MONTHS = ", hive_partitioning = true, hive_types = {'month': 'VARCHAR'}"


class DuckEngine(Engine):
    """Runs SQL in DuckDB, which works in memory, and spills to a folder if that is not enough."""

    name = "duckdb"
    in_parts = False

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Use a connection; see `duck_engine`."""
        self._connection = connection

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
        """Name the events of a table."""
        if not files:
            self._empty({**columns, "month": str}).create_view(name, replace=True)
            return
        found = self._read(files, [*columns, "month"], _IN_MONTHS)
        found = found.filter(_at_most("file", last_file))
        if last_month is not None:
            found = found.filter(_at_most("month", last_month))
        found.create_view(name, replace=True)

    def parquet(self, name: str, files: Sequence[Path], columns: Columns) -> None:
        """Name the rows of files of Parquet."""
        if files:
            self._read(files, columns).create_view(name, replace=True)
        else:
            self._empty(columns).create_view(name, replace=True)

    def values(self, name: str, columns: Columns, rows: Iterable[Record]) -> None:
        """Name some given rows, few enough to be kept in memory."""
        self._connection.from_arrow(given_table(columns, rows)).create_view("given", replace=True)
        self.keep(name, "SELECT * FROM given")

    def keep(self, name: str, select: str) -> None:
        """Name a query whose rows are computed once and read by several others."""
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {select}")

    def rows(self, select: str) -> Iterator[Record]:
        """Run a query and yield its rows to the caller."""
        for batch in self._connection.sql(select).to_arrow_reader(ROWS_AT_ONCE):
            yield from zip(*(_values(column) for column in batch.columns), strict=True)

    def write_rows(self, name: str, select: str, order: str, path: Path) -> int:
        """Write the rows of a query as a file of Parquet, in the order of a column."""
        rows = self._connection.sql(f"SELECT * FROM ({select}) AS written ORDER BY {order}")
        rows.write_parquet(str(path), compression="zstd")
        self._read([path], ["*"]).create_view(name, replace=True)
        ((count,),) = self.rows(f"SELECT count(*) FROM {name}")
        return int(count)

    def write_tables(
        self,
        folder: Path,
        tables: Sequence[EngineTable],
        provenance: Provenance,
        options: FileOptions,
    ) -> list[ExportedFile]:
        """Write tables, and the manifest, as `ledger export` does."""
        found = [Tabular(t.name, t.columns, self.rows(t.select), t.key) for t in tables]
        return write_tables(folder, found, provenance, options, manifest=True)

    def _empty(self, columns: Columns) -> Any:
        # Not a table: a temporary one would hide a relation that gets this name afterwards.
        cells = (f"CAST(NULL AS {_TYPES[type]}) AS {name}" for name, type in columns.items())
        return self._connection.sql(f"SELECT {', '.join(cells)} WHERE false")

    def _read(self, files: Sequence[Path], columns: Iterable[str], folders: str = "") -> Any:
        return self._connection.sql(
            f"SELECT {', '.join(columns)} FROM read_parquet(?{folders})",
            params=[[str(file) for file in files]],
        )


@contextmanager
def duck_engine() -> Iterator[DuckEngine]:
    """Start DuckDB without access to the network, and translate its errors.

    Raises:
        StorageFailed: a statement in DuckDB failed.
    """
    with TemporaryDirectory() as folder:
        settings = {
            "temp_directory": folder,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            # Queries state the order of their rows where it matters.
            "preserve_insertion_order": "false",
        }
        try:
            with duckdb.connect(":memory:", config=settings) as connection:
                yield DuckEngine(connection)
        except duckdb.Error as error:
            raise StorageFailed(
                f"DuckDB failed: {_first_line(error)}; to check that the lake is complete: "
                "ledger verify --lake"
            ) from error


def _at_most(column: str, value: int | str) -> Any:
    return duckdb.ColumnExpression(column) <= duckdb.ConstantExpression(value)


def _values(column: pa.Array) -> list[Any]:
    """The values of a column as SQLite would give them: sums of integers are no decimals."""
    values: list[Any] = column.to_pylist()
    if pa.types.is_decimal(column.type):
        return [int(value) if isinstance(value, Decimal) else value for value in values]
    return values


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]

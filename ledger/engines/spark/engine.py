"""Spark: the same replay on the machines of a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, LongType, StringType, StructField, StructType

from ledger.engines.base import Columns, Engine, EngineTable, given_table
from ledger.engines.spark.part_merge import joined
from ledger.engines.spark.parts import FORMS, PART_COLUMNS, Part, PartWriter
from ledger.errors import LedgerDamaged, WrongUsage
from ledger.files.atomic import complete_files
from ledger.model.tabular import Tabular
from ledger.outputs.formats import FileOptions
from ledger.outputs.manifest import MANIFEST, ExportedFile, Provenance, resource, write_manifest
from ledger.store.database import Record

_TYPES: Mapping[type, DataType] = {int: LongType(), str: StringType()}


class SparkEngine(Engine):
    """Runs SQL in a session of Spark. Large results stay on the workers."""

    name = "spark"
    in_parts = True

    def __init__(self, session: SparkSession) -> None:
        """Use a session; see `spark_session`."""
        self._session = session

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
        types = _schema({**columns, "month": str})
        _check_filled(files)
        if files:
            reader = self._session.read.schema(types).option("basePath", str(base))
            found = reader.parquet(*map(str, files)).where(F.col("file") <= last_file)
            if last_month is not None:
                found = found.where(F.col("month") <= last_month)
        else:
            found = self._session.createDataFrame([], types)
        found.createOrReplaceTempView(name)

    def parquet(self, name: str, files: Sequence[Path], columns: Columns) -> None:
        """Name the rows of files of Parquet."""
        _check_filled(files)
        if files:
            found = self._session.read.schema(_schema(columns)).parquet(*map(str, files))
        else:
            found = self._session.createDataFrame([], _schema(columns))
        found.createOrReplaceTempView(name)

    def values(self, name: str, columns: Columns, rows: Iterable[Record]) -> None:
        """Name some given rows, few enough to be kept in memory."""
        # As Arrow they are part of the plan: Spark knows that they are few, and copies them to
        # every worker. It would assume that plain rows are many, and sort the events to join them.
        given = self._session.createDataFrame(given_table(columns, rows), _schema(columns))
        given.createOrReplaceTempView(name)

    def keep(self, name: str, select: str) -> None:
        """Name a query whose rows are computed once and read by several others."""
        kept = self._session.sql(select).persist(StorageLevel.MEMORY_AND_DISK)
        kept.createOrReplaceTempView(name)

    def rows(self, select: str) -> Iterator[Record]:
        """Run a query and yield its rows to the caller."""
        return (tuple(row) for row in self._session.sql(select).toLocalIterator())

    def write_rows(self, name: str, select: str, order: str, path: Path) -> int:
        """Write the rows of a query as a folder of Parquet, in the order of a column."""
        rows = self._session.sql(select).orderBy(order)
        place = str(path.absolute())
        rows.write.mode("error").option("compression", "zstd").parquet(place)
        written = self._session.read.schema(rows.schema).parquet(place)
        written.createOrReplaceTempView(name)
        return int(written.count())

    def write_tables(
        self,
        folder: Path,
        tables: Sequence[EngineTable],
        provenance: Provenance,
        options: FileOptions,
    ) -> list[ExportedFile]:
        """Write each table as a folder of parts, in the order of the key, and the manifest.

        The parts of CSV and JSON, concatenated, are the bytes of a single file.
        """
        if options.format not in (*FORMS, "parquet"):
            raise WrongUsage(
                f"Spark writes tables in parts, which {options.format} does not have; choose csv, "
                "json or parquet, or --engine duckdb"
            )
        if options.spreadsheet_safe or options.bom:
            raise WrongUsage("files for spreadsheets are written by --engine duckdb")
        written, resources = [], []
        with complete_files(folder, last=MANIFEST) as draft:
            for table in tables:
                name = f"{table.name}.{options.format}"
                if os.path.lexists(folder / name):
                    raise WrongUsage(
                        f"{folder / name} exists already, and a folder of parts is not replaced; "
                        "name another folder with --out-dir"
                    )
                (draft / name).mkdir()
                writer = PartWriter(
                    # A worker has another working folder.
                    str((draft / name).absolute()),
                    tuple(table.columns),
                    options.format,
                    provenance.dataset.zone,
                )
                parts = self._write_parts(table, writer)
                whole = _whole(folder / name, parts)
                written.append(whole)
                resources.append(_resource(table, whole, parts, options.format))
            write_manifest(draft, provenance, resources)
        return written

    def _write_parts(self, table: EngineTable, writer: PartWriter) -> list[ExportedFile]:
        names = [column.name for column in writer.columns]
        # Sorted last, by ranges of the key: each task has consecutive rows of the table.
        rows = self._session.sql(table.select).select(*names).orderBy(table.key)
        found = [Part(*row) for row in rows.mapInArrow(writer, PART_COLUMNS).collect()]
        return joined(writer, found)


def _check_filled(files: Iterable[Path]) -> None:
    """Check that no file is empty: Spark would silently ignore it."""
    for path in files:
        if path.exists() and not path.stat().st_size:
            raise LedgerDamaged(f"{path} is empty, as no file of Parquet is; restore the lake")


def _schema(columns: Columns) -> StructType:
    return StructType([StructField(name, _TYPES[type]) for name, type in columns.items()])


def _whole(path: Path, parts: Sequence[ExportedFile]) -> ExportedFile:
    """A table that was written in parts: each part has a digest, the table has none."""
    return ExportedFile(path, sum(p.rows for p in parts), sum(p.bytes for p in parts), "")


def _resource(
    table: EngineTable, whole: ExportedFile, parts: Sequence[ExportedFile], format: str
) -> dict[str, Any]:
    """A table in parts as the Data Package standard describes it, which has a path for each."""
    described = resource(Tabular(table.name, table.columns, (), table.key), whole, format)
    del described["hash"]
    paths = [f"{whole.path.name}/{part.path.name}" for part in parts]
    hashes = [f"sha256:{part.sha256}" for part in parts]
    return {**described, "path": paths, "hashes": hashes}

"""Writes tables as files, in any format, with the manifest beside them.

Rows are streamed. An earlier export is whole until the new one is complete; nothing is written
outside the folder named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ledger.files.atomic import complete_files, folder_or_scratch, synced_file
from ledger.model.dataset import Column
from ledger.model.tabular import Tabular, Values
from ledger.outputs.csv import SafeRows, write_csv
from ledger.outputs.formats import WORKBOOK, FileOptions
from ledger.outputs.json import write_json
from ledger.outputs.manifest import MANIFEST, ExportedFile, Provenance, resource, write_manifest
from ledger.outputs.row_text import Output

TableWriter = Callable[[Output, Sequence[Column], Iterable[Values]], int]
"""Writes a table to a file, and returns the number of its rows."""


def write_tables(
    out_dir: Path,
    tables: Iterable[Tabular],
    provenance: Provenance,
    options: FileOptions,
    *,
    manifest: bool = False,
) -> list[ExportedFile]:
    """Write tables into a folder, and replace what was there.

    Each table is a file `<name>.<format>`; a workbook is one file with a sheet for each table.

    Args:
        out_dir: made if it does not exist.
        tables: to be written.
        provenance: of the tables.
        options: that were checked with `check_format`.
        manifest: whether `datapackage.json` is written beside them.

    Raises:
        WrongUsage: a workbook cannot store a table; the former files are unchanged.
        StorageFailed: the folder cannot be written; the former files are unchanged.
    """
    with (
        folder_or_scratch(out_dir, options.dry_run) as folder,
        complete_files(folder, last=MANIFEST) as draft,
    ):
        files = write_into(draft, tables, provenance, options, manifest=manifest)
    return [replace(file, path=out_dir / file.path.name) for file in files]


def write_into(
    draft: Path,
    tables: Iterable[Tabular],
    provenance: Provenance,
    options: FileOptions,
    *,
    manifest: bool = False,
) -> list[ExportedFile]:
    """Write tables into a folder that is a draft itself; see `write_tables`."""
    if options.format == WORKBOOK:
        files, resources = _write_workbook(draft, [*tables], provenance)
    else:
        writer = table_writer(options, provenance.dataset.zone)
        files, resources = [], []
        for table in tables:
            files.append(_write_table(draft, table, writer, options))
            resources.append(resource(table, files[-1], options.format))
    if manifest:
        write_manifest(draft, provenance, resources)
    return files


def table_writer(options: FileOptions, zone: str) -> TableWriter:
    """The writer of a format that has a file for each table.

    Args:
        options: of the files.
        zone: the time zone of timestamps, for formats that state one.
    """
    if options.format == "csv":
        return partial(write_csv, bom=options.bom)
    if options.format == "json":
        return write_json
    # Slow to import, and needed by no other format.
    from ledger.outputs.parquet import write_parquet

    return partial(write_parquet, zone=zone)


def _write_table(
    draft: Path, table: Tabular, writer: TableWriter, options: FileOptions
) -> ExportedFile:
    path = draft / f"{table.name}.{options.format}"
    safe = SafeRows(table) if options.spreadsheet_safe else None
    with synced_file(path) as file:
        rows = writer(file, table.columns, safe or table.rows)
    apostrophes = safe.apostrophes if safe else None
    return ExportedFile(path, rows, file.size, file.digest.hexdigest(), apostrophes)


def _write_workbook(
    draft: Path, tables: Sequence[Tabular], provenance: Provenance
) -> tuple[list[ExportedFile], list[dict[str, Any]]]:
    # Slow to import, and an extra.
    from ledger.outputs.xlsx import workbook_of, write_workbook

    file, counts = write_workbook(draft, workbook_of(tables, provenance))
    resources = [
        {
            **resource(table, replace(file, rows=rows), WORKBOOK),
            "dialect": {"sheetName": table.name},
        }
        for table, rows in zip(tables, counts, strict=True)
    ]
    return [file], resources


def write_page(
    out_dir: Path, name: str, text: str, rows: int, options: FileOptions
) -> ExportedFile:
    """Write a page as a file, and replace what was there.

    Args:
        out_dir: made if it does not exist.
        name: of the file.
        text: of the page.
        rows: the number of rows of the table that it shows.
        options: of the file.

    Raises:
        StorageFailed: the folder cannot be written; the former files are unchanged.
    """
    with (
        folder_or_scratch(out_dir, options.dry_run) as folder,
        complete_files(folder) as draft,
        synced_file(draft / name) as file,
    ):
        file.write(text.encode())
    return ExportedFile(out_dir / name, rows, file.size, file.digest.hexdigest())

"""Tables that are written without a ledger."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ledger.datasets.support.description import SUPPORT
from ledger.model.editions import Edition
from ledger.model.periods import Month
from ledger.model.tabular import Tabular
from ledger.outputs.formats import FORMATS, WORKBOOK, FileOptions
from ledger.outputs.manifest import ExportedFile, Provenance
from ledger.outputs.table_files import write_tables

ZONE = SUPPORT.zone
PROVENANCE = Provenance("tables", SUPPORT, Edition(Month(202501), 1, "head", ()))
TABLE_FORMATS = [name for name in FORMATS if name != WORKBOOK]
"""The formats that have a file for each table."""


def write(
    folder: Path,
    tables: Iterable[Tabular],
    format: str = "csv",
    *,
    spreadsheet_safe: bool = False,
    manifest: bool = False,
) -> list[ExportedFile]:
    """Write tables of the first month into a folder."""
    options = FileOptions(format, spreadsheet_safe=spreadsheet_safe)
    return write_tables(folder, tables, PROVENANCE, options, manifest=manifest)

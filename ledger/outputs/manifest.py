"""Where results go: into a folder, or nowhere if one only wants to see what would happen."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.model.dataset import DataSet
from ledger.model.editions import Edition
from ledger.replay.labels import Names

if TYPE_CHECKING:
    from ledger.outputs.export import ExportedFile
    from ledger.outputs.xlsx import Workbook


@dataclass(frozen=True, slots=True)
class Export:
    """Files that were written.

    Attributes:
        edition: that they describe.
        files: in the order of the tables.
    """

    edition: Edition
    files: tuple[ExportedFile, ...]


@contextmanager
def draft_or_folder(folder: Path, throw_away: bool) -> Iterator[Path]:
    """The folder, or one in its place that is thrown away."""
    if throw_away:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)
    else:
        yield folder


def manifest_of(dataset: DataSet, edition: Edition, names: Names | None = None) -> dict[str, Any]:
    """What the manifest of an export says besides its files."""
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": dataset.name,
        "title": dataset.title,
        "asOf": str(edition.as_of),
        "batch": edition.batch,
        "head": edition.head,
        **({"names": names} if names else {}),
    }


def write_tables(
    out_dir: Path,
    book: Workbook,
    format: str,
    zone: str,
    manifest: dict[str, Any] | None = None,
    *,
    spreadsheet_safe: bool,
    bom: bool,
    dry_run: bool,
) -> list[ExportedFile]:
    """Write tables in a format that was checked: as a workbook, or each as a file.

    Args:
        out_dir: made where there is none.
        book: the tables.
        format: of the files.
        zone: the time zone of timestamps, for formats that name one.
        manifest: what `datapackage.json` says besides the files; None writes none.
        spreadsheet_safe: see `ledger.outputs.export.SafeRows`.
        bom: begin files of CSV with a byte order mark.
        dry_run: write to a folder that is thrown away.

    Raises:
        StorageFailed: the folder cannot be written; what was there before is whole.
    """
    from ledger.outputs.export import WORKBOOK, write_sheets
    from ledger.outputs.xlsx import write_workbook

    with draft_or_folder(out_dir, dry_run) as folder:
        if format == WORKBOOK:
            files = [write_workbook(folder, book, manifest)]
        else:
            files = write_sheets(
                folder, book.sheets, format, zone, manifest,
                spreadsheet_safe=spreadsheet_safe, bom=bom,
            )  # fmt: skip
    return [replace(file, path=out_dir / file.path.name) for file in files]

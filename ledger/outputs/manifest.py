"""The manifest of exported files: their edition, their schema, and their digests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.files.atomic import synced_file
from ledger.model.dataset import Column, DataSet, Type
from ledger.model.editions import Edition
from ledger.model.presentation import (
    Grid,
    JsonObject,
    Part,
)
from ledger.model.tabular import Tabular
from ledger.outputs.formats import FORMATS
from ledger.replay.labels import Names

_FILE = (
    Column("file", "Where the file is."),
    Column("rows", "The number of its rows.", Type.INTEGER),
    Column("bytes", "Its size.", Type.INTEGER),
    Column("sha256", "Its digest."),
)


@dataclass(frozen=True, slots=True)
class Export(JsonObject):
    """Files that were written.

    Attributes:
        edition: the edition that they show.
        files: in the order of the tables.
    """

    edition: Edition
    files: tuple[ExportedFile, ...]

    def tabular(self) -> Tabular:
        """A row for each file."""
        rows = [(str(f.path), f.rows, f.bytes, f.sha256) for f in self.files]
        return Tabular("files", _FILE, rows, "file")

    def parts(self) -> Iterator[Part]:
        """A row for each file, with the beginning of its digest."""
        rows = [(f.path, f.rows, f.bytes, f.sha256[:12]) for f in self.files]
        yield Grid(("file", "rows", "bytes", "SHA-256"), rows)


MANIFEST = "datapackage.json"
_FIELD_TYPES = {Type.TIMESTAMP: "datetime", Type.TEXT: "string"}


@dataclass(frozen=True, slots=True)
class Provenance:
    """The provenance of tables, as their manifest or workbook states it.

    Attributes:
        name: of all the tables, for a file that has all of them.
        dataset: that they belong to.
        edition: that they show.
        names: which names the labels give; None without labels.
        notes: what a reader must know about them, in sentences without their full stops.
    """

    name: str
    dataset: DataSet
    edition: Edition
    names: Names | None = None
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file that was written.

    Attributes:
        path: where it is.
        rows: the number of its rows.
        bytes: its size.
        sha256: the digest of its bytes; empty for a folder of parts.
        apostrophes: the number of texts that have one before them to be safe for spreadsheets;
            None if all texts are exact.
    """

    path: Path
    rows: int
    bytes: int
    sha256: str
    apostrophes: int | None = None


def write_manifest(
    draft: Path, provenance: Provenance, resources: Sequence[dict[str, Any]]
) -> None:
    """Write `datapackage.json`.

    Args:
        draft: the folder of the files.
        provenance: of the tables.
        resources: the files, each as `resource` describes it.
    """
    document = {**manifest_of(provenance), "resources": resources}
    with synced_file(draft / MANIFEST) as file:
        file.write(json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n")


def manifest_of(provenance: Provenance) -> dict[str, Any]:
    """The entries of the manifest of an export, without its files."""
    dataset, edition = provenance.dataset, provenance.edition
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": dataset.name,
        "title": dataset.title,
        "asOf": str(edition.as_of),
        "batch": edition.batch,
        "head": edition.head,
        **({"names": provenance.names} if provenance.names else {}),
    }


def resource(table: Tabular, file: ExportedFile, format: str) -> dict[str, Any]:
    """A file as the Data Package standard describes it (https://datapackage.org)."""
    schema: dict[str, Any] = {
        "fields": [
            {
                "name": column.name,
                "type": _FIELD_TYPES.get(column.type, column.type.value),
                "description": column.description,
            }
            for column in table.columns
        ]
    }
    if table.key:
        schema["primaryKey"] = [table.key]
    described = {
        "name": table.name,
        "path": file.path.name,
        "format": format,
        "mediatype": FORMATS[format].media_type,
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
        "rows": file.rows,
        "schema": schema,
    }
    if file.apostrophes is not None:
        described["spreadsheetSafe"] = {"apostrophes": file.apostrophes}
    encoding = FORMATS[format].encoding
    return {**described, "encoding": encoding} if encoding else described

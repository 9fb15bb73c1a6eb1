"""Lays out a data folder for those who begin: what goes where, and templates of the files.

A template is named as the file that it is for, with `.template` at the end. So it lies where that
file belongs, and no command takes it for a delivery: an extract without rows would be recorded as
one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from ledger.errors import StorageFailed
from ledger.files.atomic import draft_folder, put
from ledger.model.dataset import ACTION_COLUMN, Column, DataSet, Kind, Table, Type
from ledger.model.presentation import JsonObject, Part
from ledger.model.tabular import Tabular
from ledger.text import listed

README = "README.md"
_TEMPLATE = "delivery/data_folder.md"

_TYPES = {
    Type.TEXT: "text",
    Type.DATE: "date: `2025-02-28`",
    Type.NUMBER: "number: `12.5`",
    Type.TIMESTAMP: "timestamp: `2025-02-28T20:30:00Z`",
}


@dataclass(frozen=True, slots=True)
class DataFolder(JsonObject):
    """A data folder, as it was laid out.

    Attributes:
        folder: the data folder.
        made: the files that were made in it, in order.
        kept: those that existed already, and were left as they are.
    """

    folder: Path
    made: tuple[Path, ...]
    kept: tuple[Path, ...]

    def tabular(self) -> Tabular:
        """A row for each file, with what became of it."""
        files = [(path, "made") for path in self.made] + [(path, "was there") for path in self.kept]
        columns = (Column("file", "Where the file is."), Column("", "What became of it."))
        return Tabular("folder", columns, [(str(path), what) for path, what in sorted(files)])

    def parts(self) -> Iterator[Part]:
        """The same."""
        yield self.tabular()


def lay_out(folder: Path, dataset: DataSet, *, dry_run: bool = False) -> DataFolder:
    """Make a data folder, or what is missing of one; what exists is left as it is.

    Args:
        folder: created if it does not exist.
        dataset: which files are delivered.
        dry_run: make nothing, and only give what would be made.

    Raises:
        StorageFailed: the folder cannot be written.
    """
    texts = {folder / name: text for name, text in _files(dataset)}
    kept = [path for path in texts if os.path.lexists(path)]
    missing = [path for path in texts if path not in kept]
    try:
        if missing and not dry_run:
            for path in (folder, *(folder / kind for kind in Kind)):
                path.mkdir(parents=True, exist_ok=True)
            with draft_folder(folder) as drafts:
                for path in missing:
                    draft = drafts / path.name
                    draft.write_text(texts[path], encoding="utf-8", newline="\n")
                    put(draft, path)
    except OSError as error:
        raise StorageFailed(
            f"{folder} cannot be laid out: {error.strerror} ({error.filename}); name another folder"
        ) from error
    return DataFolder(folder, tuple(missing), tuple(kept))


def _files(dataset: DataSet) -> Iterator[tuple[str, str]]:
    """The names and texts of all files; last the one that describes them."""
    for kind in Kind:
        for table in dataset.tables:
            action = [ACTION_COLUMN] if kind is Kind.DELTA else []
            header = ",".join([*table.column_names, *action])
            yield f"{_delivered(kind, table)}.template", f"{header}\n"
    yield README, _readme(dataset)


def _delivered(kind: Kind, table: Table) -> str:
    """Where the file of a table is to lie, with YYYYMM for its month."""
    month = "_delta_YYYYMM" if kind is Kind.DELTA else ""
    return f"{kind}/{table.name}{month}.csv"


def _readme(dataset: DataSet) -> str:
    template = Template(files("ledger").joinpath(_TEMPLATE).read_text(encoding="utf-8"))
    return template.substitute(
        title=dataset.title,
        table=dataset.tables[0].name,
        tables="\n".join(line for table in dataset.tables for line in _described(table)),
    )


def _described(table: Table) -> Iterator[str]:
    yield from ("", f"## {table.name}", "")
    yield f"{listed(f'`{_delivered(kind, table)}`' for kind in Kind)}; the key is `{table.key}`."
    yield from ("", "| column | cells | contents |", "|---|---|---|")
    for column in table.columns:
        refers = f" A key of `{column.references}`." if column.references else ""
        yield f"| `{column.name}` | {_TYPES[column.type]} | {column.description}{refers} |"

"""Lays out a data folder for whoever begins: what goes where, and templates of the files.

A template is named as the file that it is for, with `.template` at the end. So it lies where that
file belongs, and no command takes it for a delivery: an extract without rows would be recorded as
one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import StorageFailed
from ledger.files.atomic import draft_folder, put
from ledger.model.dataset import ACTION_COLUMN, DataSet, Kind, Table, Type
from ledger.text import listed

README = "README.md"

_TYPES = {
    Type.TEXT: "text",
    Type.DATE: "date: `2025-02-28`",
    Type.NUMBER: "number: `12.5`",
    Type.TIMESTAMP: "moment: `2025-02-28T20:30:00Z`",
}


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A data folder that was laid out.

    Attributes:
        folder: the data folder.
        made: the files that were made in it, in order.
        kept: those that were there already, and were left as they are.
    """

    folder: Path
    made: tuple[Path, ...]
    kept: tuple[Path, ...]


def lay_out(folder: Path, dataset: DataSet, *, dry_run: bool = False) -> LaidOut:
    """Make a data folder, or what is missing of one; whatever is there is left as it is.

    Args:
        folder: made where there is none.
        dataset: which files are delivered.
        dry_run: only say what would be made.

    Raises:
        StorageFailed: the folder cannot be written.
    """
    files = {folder / name: text for name, text in _files(dataset)}
    kept = [path for path in files if os.path.lexists(path)]
    missing = [path for path in files if path not in kept]
    try:
        if missing and not dry_run:
            for path in (folder, *(folder / kind for kind in Kind)):
                path.mkdir(parents=True, exist_ok=True)
            with draft_folder(folder) as drafts:
                for path in missing:
                    draft = drafts / path.name
                    draft.write_text(files[path], encoding="utf-8", newline="\n")
                    put(draft, path)
    except OSError as error:
        raise StorageFailed(
            f"{folder} cannot be laid out: {error.strerror} ({error.filename}); name another folder"
        ) from error
    return LaidOut(folder, tuple(missing), tuple(kept))


def _files(dataset: DataSet) -> Iterator[tuple[str, str]]:
    """The names and texts of all files; last the one that says what they are for."""
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
    lines = [
        f"# {dataset.title}",
        "",
        _HOW_TO.format(name=dataset.tables[0].name).strip(),
        *(line for table in dataset.tables for line in _described(table)),
    ]
    return "\n".join([*lines, ""])


def _described(table: Table) -> Iterator[str]:
    yield from ("", f"## {table.name}", "")
    yield f"{listed(f'`{_delivered(kind, table)}`' for kind in Kind)}; the key is `{table.key}`."
    yield from ("", "| column | cells | what it holds |", "|---|---|---|")
    for column in table.columns:
        refers = f" A key of `{column.references}`." if column.references else ""
        yield f"| `{column.name}` | {_TYPES[column.type]} | {column.description}{refers} |"


_HOW_TO = """
The files from which a ledger is made lie in this folder:

- `initial/`: one full extract of each table, as it stood at the end of a month;
- `delta/`: for each month after that, the rows of each table that changed. `YYYYMM` in the name is
  the month, as in `{name}_delta_202502.csv`. A table of which no row changed needs no file.

## What to do

1. Beside each place lies a template with the header line. Copy it to the same name without
   `.template`, and put the rows below the header: `initial/{name}.csv.template` becomes
   `initial/{name}.csv`.
2. See what would be recorded, from the folder above this one, `data`, say:
   `ledger ingest --data-dir data --dry-run`
3. Record it: `ledger ingest --data-dir data`. An extract alone does not say of which month it is:
   add `--initial-month YYYYMM`, or put the first delta beside it.
4. When the files of the next month are here, record them in the same way. What is recorded
   already is known by its content, and not recorded twice.

Put no file without rows into `initial/`: an extract is recorded once, and one without rows is an
extract too.

## What the files look like

CSV in UTF-8: a comma between cells, quotes round cells that hold commas, quotes or line ends. The
first line names the columns, in any order. A blank cell is no value. Moments have `Z` for UTC, or
an offset such as `-05:00`.

A delta has one more column, `action`: `add` and `update` give the whole row, `delete` takes the
row with this key out, and its other cells may be blank.
"""

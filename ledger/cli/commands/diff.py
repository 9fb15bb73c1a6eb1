"""The command `ledger diff`: says where two editions differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli import completion
from ledger.cli.notes import tell_editions
from ledger.cli.options import common, formats
from ledger.cli.printing import ROW_FORMATS, print_document, print_rows
from ledger.ledger import Ledger
from ledger.model.plain import plain

if TYPE_CHECKING:
    from ledger.lineage.diff import RowChange


@click.command()
@click.argument("before", metavar="A", shell_complete=completion.editions)
@click.argument("after", metavar="B", shell_complete=completion.editions)
@formats(*ROW_FORMATS, help="How to print the result; all but table give every row and cell.")
@common
def diff(before: str, after: str, format: str, db: Path) -> None:
    """Tell in which rows and cells two editions differ.

    In each table and in the report. A and B name editions: an as-of month, a batch, a moment or
    a tag, or a month as it was known then: 202502, 2, 2025-04-01T09:30:00Z, signed, 202502@2.
    What only B has is added, what only A has is removed, and what both have with other cells is
    changed.

    \b
      ledger diff 202501 202502
      ledger diff 202502@2 202502 --format csv
    """
    columns: tuple[str, ...] = ("table", "key", "change", "column", "before", "after")
    ledger = Ledger(db)
    with ledger.compare(before, after) as both:
        tell_editions(both)
        if format == "json":
            print_document(plain(both.diff()), "rows", both.diff_rows())
        elif format == "table":
            columns = ("table", "added", "removed", "changed", "cells changed")
            print_rows(format, columns, [tuple(plain(t).values()) for t in both.diff().tables])
        else:
            print_rows(format, columns, _cells(both.diff_rows()))


def _cells(rows: Iterable[RowChange]) -> Iterator[tuple[object, ...]]:
    """A line for each cell; of a row that is added or removed and has none but its key, one."""
    for row in rows:
        # Names may hold any mark, so several parts of a key are told apart as JSON does it.
        key = row.key[0] if len(row.key) == 1 else json.dumps(row.key, ensure_ascii=False)
        head = (row.relation, key, row.kind)
        for cell in row.cells:
            yield (*head, cell.column, cell.before, cell.after)
        if not row.cells:
            yield (*head, None, None, None)

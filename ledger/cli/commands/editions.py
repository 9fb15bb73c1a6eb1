"""The command `ledger editions`: shows which batch restated which month."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli.options import common, formats
from ledger.cli.printing import (
    ROW_FORMATS,
    emit,
    print_rows,
    table,
    to_the_second,
)
from ledger.ledger import Ledger
from ledger.model.plain import plain
from ledger.text import counted

if TYPE_CHECKING:
    from ledger.datasets.support.restatements import Restatement


@click.command()
@formats(*ROW_FORMATS)
@common
def editions(format: str, db: Path) -> None:
    """Show which batch restated the report of which month.

    A line for each batch and a column for each month: `first` where the month was first reported,
    `changed` where the batch changed its report, `same` where it did not. In the other formats with
    the SHA-256 of support_report.csv of each edition, and its tags.
    """
    ledger = Ledger(db)
    result = ledger.editions()
    batches = {entry.batch.batch: entry.batch for entry in ledger.log()}
    if format != "table":
        columns = (
            "as_of",
            "batch",
            "recorded_at",
            "change",
            "rows_changed",
            "gap",
            "sha256",
            "tags",
        )
        rows = [[plain(getattr(e, column)) for column in columns] for e in result]
        if format == "csv":
            rows = [[*row[:-1], " ".join(row[-1])] for row in rows]
        print_rows(format, columns, rows)
        return
    months = sorted({edition.as_of for edition in result})
    found = {(edition.batch, edition.as_of): edition for edition in result}
    lines = [
        (number, to_the_second(batch.recorded_at), batch.month,
         *(_cell(found.get((number, month))) for month in months), batch.reason)
        for number, batch in batches.items()
    ]  # fmt: skip
    emit(table(("batch", "recorded_at", "month", *map(str, months), "reason"), lines))


def _cell(edition: Restatement | None) -> str | None:
    from ledger.datasets.support.restatements import Change

    if edition is None:
        return None
    rows = f" {counted(edition.rows_changed, 'row')}" if edition.change is Change.CHANGED else ""
    gap = " (gap)" if edition.gap else ""
    return " ".join([f"{edition.change}{rows}{gap}", *(f"[{name}]" for name in edition.tags)])

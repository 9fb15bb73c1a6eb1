"""The command `ledger log`: lists the batches and their files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli.options import common, formats
from ledger.cli.printing import (
    ROW_FORMATS,
    print_rows,
    to_the_second,
)
from ledger.ledger import Ledger
from ledger.model.records import File

if TYPE_CHECKING:
    from ledger.model.records import LogEntry


@click.command()
@formats(*ROW_FORMATS)
@common
def log(format: str, db: Path) -> None:
    """List the recorded batches and their files."""
    ledger = Ledger(db)
    entries = ledger.log()
    short, shown = (12, to_the_second) if format == "table" else (None, str)
    batches = {file.file: file.batch for entry in entries for file in entry.files}
    rows = [
        (file.batch, shown(entry.batch.recorded_at),
         entry.batch.month, file.name, file.rows, (file.sha256 or "")[:short],
         " ".join(_flags(entry, file)), batches.get(file.supersedes or 0), entry.batch.reason,
         entry.batch.head[:short])
        for entry in entries
        for file in entry.files
    ]  # fmt: skip
    columns = ("batch", "recorded_at", "month", "file", "rows", "sha256", "flags",
               "supersedes", "reason", "head")  # fmt: skip
    print_rows(format, columns, rows)


def _flags(entry: LogEntry, file: File) -> Iterator[str]:
    """What is to be said of a file: `supersedes` names the batch of the one it stands in for."""
    from ledger.model.records import RETRACTION

    if entry.batch.gap:
        yield "gap"
    if entry.batch.late:
        yield "late"
    if file.kind == RETRACTION:
        yield "retraction"
    elif entry.batch.correction and file.supersedes:
        yield "correction"

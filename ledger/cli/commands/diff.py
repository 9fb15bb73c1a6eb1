"""The command `ledger diff`: says where two editions differ."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli import completion, console
from ledger.cli.notes import note_editions
from ledger.cli.options import common, formats
from ledger.ledger import Ledger


@click.command()
@click.argument("before", metavar="A", shell_complete=completion.editions)
@click.argument("after", metavar="B", shell_complete=completion.editions)
@formats(
    *console.ROW_FORMATS, help="How to print the result; all but table give every row and cell."
)
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
    from ledger.snapshot import Differences

    with Ledger(db).compare(before, after) as both:
        note_editions(both)
        console.show(Differences(both), format)

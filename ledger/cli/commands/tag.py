"""The command `ledger tag`: names an edition."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli.options import (
    common,
    dry_run_option,
    edition_options,
    formats,
)
from ledger.cli.printing import (
    ROW_FORMATS,
    emit,
    note,
    print_rows,
    to_the_second,
)
from ledger.ledger import Ledger
from ledger.model.editions import EditionName


@click.command()
@click.argument("name", required=False)
@edition_options
@formats(*ROW_FORMATS)
@dry_run_option
@common
def tag(
    name: str | None,
    edition: EditionName,
    format: str,
    dry_run: bool,
    db: Path,
) -> None:
    """Name an edition; without a NAME, list the names.

    A name goes wherever a batch goes, and cannot be moved.

    \b
      ledger tag signed-january --as-of 202501
      ledger report --known-at signed-january
    """
    receipt = None
    ledger = Ledger(db)
    if name is None:
        tags = ledger.tags()
    else:
        tags = [ledger.tag(name, edition, dry_run=dry_run)]
        receipt = None if dry_run else ledger.receipt()
        if dry_run:
            note("Dry run: no name is given.")
    shown = to_the_second if format == "table" else str
    rows = [(tag.name, tag.as_of, tag.batch, shown(tag.tagged_at)) for tag in tags]
    print_rows(format, ("name", "as_of", "batch", "tagged_at"), rows)
    if receipt and format == "table":
        emit(f"receipt {receipt.line()}")

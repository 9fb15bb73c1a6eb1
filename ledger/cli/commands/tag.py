"""The command `ledger tag`: names an edition."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli import console
from ledger.cli.options import (
    common,
    dry_run_option,
    edition_options,
    formats,
)
from ledger.ledger import Ledger
from ledger.model.editions import EditionName
from ledger.model.record_listings import tag_listing


@click.command()
@click.argument("name", required=False)
@edition_options
@formats(*console.ROW_FORMATS)
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
            console.note("Dry run: no name is given.")
    console.show(tag_listing(tags), format)
    if receipt and format == "table":
        console.write(f"receipt {receipt.line()}")
